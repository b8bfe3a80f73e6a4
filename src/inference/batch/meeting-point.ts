import { at } from '../../core/at.ts';
import { setImmediate } from 'node:timers/promises';
import { monotonicMs } from '../../core/time.ts';
import { groupBy } from '../../core/group-by.ts';
import { throwIfAborted } from '../serial-queue.ts';

/** Where requests of one kind wait until they are computed together. */
export interface MeetingPoint<Q, A> {
  /** Requests that wait. */
  readonly waiting: number;
  /** `spend` is told the request's equal share, in milliseconds, of each computation that it was part of. */
  ask(question: Q, signal: AbortSignal, spend: (ms: number) => void): Promise<A>;
  /** Computes all that wait; resolves when each has its answer. */
  serve(): Promise<void>;
}

export interface MeetingPointOptions<Q, A> {
  /** Answers to questions of one key, in their order. */
  readonly compute: (questions: readonly Q[]) => Promise<readonly A[]>;
  /** Questions of different keys are never computed together. */
  readonly keyOf: (question: Q) => string;
  /** Questions of one computation. */
  readonly atMost: number;
}

/** A computation that fails is made again for each of its requests alone, so that one fails and not all. */
export function createMeetingPoint<Q, A>({
  compute,
  keyOf,
  atMost,
}: MeetingPointOptions<Q, A>): MeetingPoint<Q, A> {
  let waiting: readonly Request<Q, A>[] = [];

  const answer = async (group: readonly Request<Q, A>[]): Promise<void> => {
    // Lets an abort come through: a runtime may compute on this thread, and messages wait meanwhile.
    await setImmediate();
    const live = group.filter(isLive);
    if (live.length === 0) return;
    const startedMs = monotonicMs();
    const spend = (): void => {
      const shareMs = (monotonicMs() - startedMs) / live.length;
      for (const request of live) request.spend(shareMs);
    };
    try {
      const answers = await compute(live.map(({ question }) => question));
      spend();
      live.forEach(({ resolve }, index) => {
        resolve(at(answers, index));
      });
    } catch (error) {
      spend();
      if (live.length === 1) live[0]?.reject(error);
      else for (const request of live) await answer([request]);
    }
  };

  return {
    get waiting() {
      return waiting.length;
    },
    ask: (question, signal, spend) =>
      new Promise((resolve, reject) => {
        waiting = [...waiting, { question, signal, spend, resolve, reject }];
      }),
    async serve() {
      const round = waiting;
      waiting = [];
      for (const equal of groupBy(round, ({ question }) => keyOf(question)).values()) {
        for (let from = 0; from < equal.length; from += atMost)
          await answer(equal.slice(from, from + atMost));
      }
    },
  };
}

interface Request<Q, A> {
  readonly question: Q;
  readonly signal: AbortSignal;
  readonly spend: (ms: number) => void;
  readonly resolve: (answer: A) => void;
  readonly reject: (reason: unknown) => void;
}

/** Rejects a request that nobody waits for any more. */
function isLive({ signal, reject }: Request<unknown, never>): boolean {
  try {
    throwIfAborted(signal);
    return true;
  } catch (error) {
    reject(error);
    return false;
  }
}
