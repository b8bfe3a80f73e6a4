import type { SamplingPlan } from './types.ts';

/**
 * Rows, each [inputLength], as one plan. Where a row stands for other steps
 * than those with a weight, `counts` says for how many.
 */
export function planOf(
  rows: readonly Float32Array[],
  inputLength: number,
  { counts = rows.map(weighted), groupOf = largestRow(rows, inputLength) }: Standing = {},
): SamplingPlan {
  const weights = new Float32Array(rows.length * inputLength);
  rows.forEach((row, b) => {
    weights.set(row, b * inputLength);
  });
  return { inputLength, outputLength: rows.length, weights, groupOf, counts: Float32Array.from(counts) };
}

interface Standing {
  readonly counts?: readonly number[];
  readonly groupOf?: Int32Array;
}

function weighted(row: Float32Array): number {
  return row.reduce((count, weight) => (weight === 0 ? count : count + 1), 0);
}

/** The row with a step's largest weight, the first of equals; −1 where every weight of the step is 0. */
function largestRow(rows: readonly Float32Array[], inputLength: number): Int32Array {
  const group = new Int32Array(inputLength).fill(-1);
  const largest = new Float32Array(inputLength);
  rows.forEach((row, b) => {
    for (let t = 0; t < inputLength; t += 1) {
      if (row[t]! > largest[t]!) {
        largest[t] = row[t]!;
        group[t] = b;
      }
    }
  });
  return group;
}
