import type { InferCall, InferenceEngine, InferenceResult } from './engine.ts';

/** `inferBatch` of an engine that has it; of others one clip after the other, with the same promises. */
export function inferTogether(
  engine: InferenceEngine,
  calls: readonly InferCall[],
): readonly Promise<InferenceResult>[] {
  return engine.inferBatch?.(calls) ?? calls.map(async ({ clip, ...options }) => engine.infer(clip, options));
}
