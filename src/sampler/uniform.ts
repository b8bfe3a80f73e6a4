import { planOf } from './plan.ts';
import type { SamplingPlan } from './types.ts';

/** Steps 0, stride, 2·stride, … alone: B' = ⌈T / stride⌉ whatever the clip shows. The others are not looked at. */
export function planUniform(length: number, { stride }: { readonly stride: number }): SamplingPlan {
  const rows = Array.from({ length: Math.ceil(length / stride) }, (_, b) => {
    const row = new Float32Array(length);
    row[b * stride] = 1;
    return row;
  });
  return planOf(rows, length);
}
