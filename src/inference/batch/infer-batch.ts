import { at } from '../../core/at.ts';
import type { InferCall, InferenceEngine, InferenceResult } from '../engine.ts';
import { throwIfAborted, type SerialQueue } from '../serial-queue.ts';
import type { BatchHalves } from './batch-halves.ts';
import { checkCalls } from './check-calls.ts';
import { createGathering, type Member } from './gathering.ts';

/** What an engine does with one clip. */
interface ClipCourse<R> {
  readonly queue: SerialQueue;
  /** Throws where the clip or its sampler is wrong. */
  readonly check: (call: InferCall) => void;
  /** From pixels to logits, by the halves of the member. */
  readonly runMember: (call: InferCall, signal: AbortSignal, member: Member) => Promise<R>;
  readonly resultOf: (call: InferCall, running: Promise<R>) => Promise<InferenceResult>;
  /** A clip by itself, in a turn of its own. */
  readonly inferOne: (call: InferCall) => Promise<InferenceResult>;
}

/** `inferBatch` of an engine over halves that take several clips. */
export function createInferBatch<R extends { readonly lowerMs: number; readonly upperMs: number }>(
  batch: BatchHalves,
  { queue, check, runMember, resultOf, inferOne }: ClipCourse<R>,
): NonNullable<InferenceEngine['inferBatch']> {
  const run = async (call: InferCall, signal: AbortSignal, member: Member): Promise<R> => {
    try {
      throwIfAborted(signal);
      const done = await runMember(call, signal, member);
      return { ...done, lowerMs: member.spent.lower, upperMs: member.spent.upper };
    } finally {
      member.leave();
    }
  };
  return (calls) =>
    checkCalls(calls, check, (fit) => {
      if (fit.length <= 1) return fit.map(inferOne);
      return queue.runTogether(
        fit.map(({ signal }) => signal),
        (signals) => {
          const members = createGathering(batch, signals);
          return fit.map((call, i) => resultOf(call, run(call, at(signals, i), at(members, i))));
        },
      );
    });
}
