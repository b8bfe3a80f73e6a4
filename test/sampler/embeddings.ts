import fc from 'fast-check';
import type { Embeddings, SamplingPlan } from '../../src/sampler/index.ts';

/** Time steps as lists of numbers → [T × L]. */
export function embeddingsOf(steps: readonly (readonly number[])[]): Embeddings {
  const size = steps[0]?.length ?? 0;
  return { length: steps.length, size, data: Float32Array.from(steps.flat()) };
}

/** A clip whose every step is the same. */
export function staticClip(length: number, value: readonly number[]): Embeddings {
  return embeddingsOf(Array.from({ length }, () => value));
}

export function rowsOf(plan: SamplingPlan): readonly number[][] {
  return Array.from({ length: plan.outputLength }, (_, b) =>
    Array.from(plan.weights.subarray(b * plan.inputLength, (b + 1) * plan.inputLength)),
  );
}

/** Clips of 1 to 24 steps of 1 to 4 values in [−4, 4], in which steps often repeat. */
export const anyClip: fc.Arbitrary<number[][]> = fc.integer({ min: 1, max: 4 }).chain((size) =>
  fc.array(
    fc.oneof(
      fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: size, maxLength: size }),
      fc.constantFrom(0, 1).map((value) => Array.from({ length: size }, () => value)),
    ),
    { minLength: 1, maxLength: 24 },
  ),
);

/** Deterministic noise of standard deviation about 1. */
export function noise(seed: number): () => number {
  let state = seed;
  const uniform = (): number => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return () => 2 * (uniform() + uniform() + uniform());
}
