import { at } from '../../core/at.ts';
import { ActionstreamError } from '../../core/errors.ts';
import type { InferCall, InferenceResult } from '../engine.ts';

/**
 * Lets those calls of a batch through that are right; each other one rejects with what `check` throws, or with INPUT_INVALID where a
 * clip of its stream came before it.
 */
export function checkCalls(
  calls: readonly InferCall[],
  check: (call: InferCall) => void,
  infer: (fit: readonly InferCall[]) => readonly Promise<InferenceResult>[],
): readonly Promise<InferenceResult>[] {
  const refused = new Map<InferCall, unknown>();
  const streams = new Set<string>();
  for (const call of calls) {
    try {
      check(call);
      refuseSecond(call, streams);
    } catch (error) {
      refused.set(call, error);
    }
  }
  const fit = calls.filter((call) => !refused.has(call));
  const results = new Map(infer(fit).map((result, index) => [at(fit, index), result]));
  return calls.map((call) => results.get(call) ?? Promise.reject(refused.get(call) as Error));
}

/** What a stream's clip leaves behind, the next one goes on from: two of them cannot be computed at once. */
function refuseSecond({ clip: { clipId, stream } }: InferCall, streams: Set<string>): void {
  if (!stream) return;
  if (streams.has(stream.id)) {
    const problem = `clip ${clipId}: another clip of stream ${stream.id} is in the same batch`;
    throw new ActionstreamError('INPUT_INVALID', problem);
  }
  streams.add(stream.id);
}
