import type { Embeddings } from './types.ts';

export type Distance = 'l2' | 'l1';

/** ‖e_a − e_b‖ between two time steps, in double precision. */
export function stepDistance(
  { data, size }: Embeddings,
  [a, b]: readonly [number, number],
  p: Distance,
): number {
  let sum = 0;
  for (let i = 0; i < size; i += 1) {
    const difference = data[a * size + i]! - data[b * size + i]!;
    sum += p === 'l2' ? difference * difference : Math.abs(difference);
  }
  return p === 'l2' ? Math.sqrt(sum) : sum;
}

const PAIRWISE_EPSILON = Math.fround(1e-6);

/**
 * Δ_t = ‖ē − e_t + 1e-6‖ in single precision, as the official code has it (MODELS.md §2.1): the epsilon is added to
 * every difference. Sums over time and channels are rounded once, since the order in which a tensor library adds
 * is not defined; so ē lies between the smallest and the largest e_t, and the largest Δ_t is never 0.
 */
export function distancesToMean({ data, length, size }: Embeddings, p: Distance): Float32Array {
  const mean = new Float32Array(size);
  for (let i = 0; i < size; i += 1) {
    let sum = 0;
    for (let t = 0; t < length; t += 1) sum += data[t * size + i]!;
    mean[i] = sum / length;
  }
  const distances = new Float32Array(length);
  for (let t = 0; t < length; t += 1) {
    let sum = 0;
    for (let i = 0; i < size; i += 1) {
      const difference = Math.fround(Math.fround(mean[i]! - data[t * size + i]!) + PAIRWISE_EPSILON);
      sum += p === 'l2' ? difference * difference : Math.abs(difference);
    }
    distances[t] = p === 'l2' ? Math.sqrt(sum) : sum;
  }
  return distances;
}
