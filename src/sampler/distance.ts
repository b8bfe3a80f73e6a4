import type { Embeddings } from './types.ts';

export type Distance = 'l2' | 'l1';

/** ‖a − b‖ between two embeddings, in double precision. */
export function embeddingDistance(a: Float32Array, b: Float32Array, p: Distance): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) {
    const difference = a[i]! - b[i]!;
    sum += p === 'l2' ? difference * difference : Math.abs(difference);
  }
  return p === 'l2' ? Math.sqrt(sum) : sum;
}

/** Added by the official code to every coordinate of a difference. */
const PAIRWISE_EPSILON = 1e-6;

/** Δ_t = ‖ē − e_t + 1e-6‖ [T], ē the mean over the clip (MODELS.md §2.1). The largest is never 0. */
export function distancesToMean({ data, length, size }: Embeddings, p: Distance): Float64Array {
  const total = new Float64Array(size);
  for (let t = 0; t < length; t += 1) {
    for (let i = 0; i < size; i += 1) total[i]! += data[t * size + i]!;
  }
  const distances = new Float64Array(length);
  for (let t = 0; t < length; t += 1) {
    let sum = 0;
    for (let i = 0; i < size; i += 1) {
      const difference = total[i]! / length - data[t * size + i]! + PAIRWISE_EPSILON;
      sum += p === 'l2' ? difference * difference : Math.abs(difference);
    }
    distances[t] = p === 'l2' ? Math.sqrt(sum) : sum;
  }
  return distances;
}
