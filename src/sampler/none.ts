import { planOf } from './plan.ts';
import type { SamplingPlan } from './types.ts';

/** Identity: the dense network. */
export function planNone(length: number): SamplingPlan {
  const rows = Array.from({ length }, (_, t) => {
    const row = new Float32Array(length);
    row[t] = 1;
    return row;
  });
  return planOf(rows, length);
}
