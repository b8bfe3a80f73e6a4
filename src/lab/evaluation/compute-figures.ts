import type { Work } from './results.ts';

/** What a number of inferences cost. Means are per inference. */
export interface ComputeFigures {
  readonly inferences: number;
  /** Kept steps ÷ input steps, over all of them. */
  readonly kept_ratio: number;
  readonly kept_steps: number;
  readonly input_steps: number;
  /** Kept steps → how many inferences kept that many. */
  readonly histogram: Readonly<Record<string, number>>;
  readonly multiply_adds: number;
  readonly dense_multiply_adds: number;
  /** Multiply-adds ÷ dense ones: against a network without SGS that computes every window by itself. */
  readonly multiply_adds_ratio: number;
  /** Not spent, because overlapping windows reuse steps of the lower stage. */
  readonly reused_multiply_adds: number;
  /**
   * Multiply-adds ÷ those of a network without SGS whose windows reuse steps
   * likewise: what sampling alone saves.
   */
  readonly multiply_adds_ratio_shared: number;
  /** In the engine: lower stage, sampler and upper stage. */
  readonly ms: number;
}

/** Undefined where nothing was inferred. */
export function computeFigures(work: readonly Work[]): ComputeFigures | undefined {
  const count = work.length;
  if (count === 0) return undefined;
  const sum = (value: (one: Work) => number): number => work.reduce((total, one) => total + value(one), 0);
  const [kept, input] = [sum((one) => one.keptSteps), sum((one) => one.inputSteps)];
  const [spent, dense] = [sum((one) => one.multiplyAdds), sum((one) => one.denseMultiplyAdds)];
  const reused = sum((one) => one.reusedMultiplyAdds);
  const histogram: Record<string, number> = {};
  for (const { keptSteps } of work) histogram[keptSteps] = (histogram[keptSteps] ?? 0) + 1;
  return {
    inferences: count,
    kept_ratio: rounded(kept / input),
    kept_steps: rounded(kept / count),
    input_steps: rounded(input / count),
    histogram,
    multiply_adds: Math.round(spent / count),
    dense_multiply_adds: Math.round(dense / count),
    multiply_adds_ratio: dense === 0 ? 0 : rounded(spent / dense),
    reused_multiply_adds: Math.round(reused / count),
    multiply_adds_ratio_shared: dense === reused ? 0 : rounded(spent / (dense - reused)),
    ms: rounded(sum((one) => one.ms) / count),
  };
}

/** Four decimals: more would suggest what no test set of this kind can tell. */
export function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
