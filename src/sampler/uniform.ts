import { planOf } from './plan.ts';
import type { SamplingPlan } from './types.ts';

/**
 * Steps 0, stride, 2·stride, … alone: B' = ⌈T / stride⌉ whatever the clip shows.
 * The others are not looked at, but each kept step stands for those up to the next.
 */
export function planUniform(length: number, { stride }: { readonly stride: number }): SamplingPlan {
  const kept = Array.from({ length: Math.ceil(length / stride) }, (_, b) => b * stride);
  const rows = kept.map((step) => {
    const row = new Float32Array(length);
    row[step] = 1;
    return row;
  });
  return planOf(rows, length, { counts: kept.map((step) => Math.min(stride, length - step)) });
}
