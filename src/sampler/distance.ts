import type { Cells, Embeddings } from './types.ts';

export type Distance = 'l2' | 'l1';

/** How far two embeddings are apart, in double precision. */
type Measure = (a: Float32Array, b: Float32Array) => number;

/**
 * ‖a − b‖; or, of embeddings with a vector a cell, how far their cells have
 * moved in units of what the frame holds.
 */
export function measureOf(p: Distance, cells?: Cells): Measure {
  return cells ? (a, b) => cellDistance(a, b, cells, p) : (a, b) => distanceWithin(a, b, 0, a.length, p);
}

function distanceWithin(a: Float32Array, b: Float32Array, from: number, to: number, p: Distance): number {
  let sum = 0;
  for (let i = from; i < to; i += 1) {
    const difference = a[i]! - b[i]!;
    sum += p === 'l2' ? difference * difference : Math.abs(difference);
  }
  return p === 'l2' ? Math.sqrt(sum) : sum;
}

/**
 * The mean of ‖a_c − b_c‖ over the `top` cells c that moved most, over the scale of
 * both steps: so neither contrast nor the number of channels or pixels moves δ, and
 * what a small part of the frame does counts whole. 0 where both hold nothing.
 */
function cellDistance(a: Float32Array, b: Float32Array, { count, top }: Cells, p: Distance): number {
  const size = a.length / count;
  const moved = Float64Array.from({ length: count }, (_, cell) =>
    distanceWithin(a, b, cell * size, (cell + 1) * size, p),
  );
  const most = top === 1 ? moved.reduce((x, y) => Math.max(x, y), 0) : meanOfLargest(moved, top);
  const scale = (scaleOf(a, count, p) + scaleOf(b, count, p)) / 2;
  return most === 0 ? 0 : most / scale;
}

function meanOfLargest(values: Float64Array, top: number): number {
  const largest = values.sort().subarray(-top);
  return largest.reduce((sum, value) => sum + value, 0) / largest.length;
}

/**
 * Of a cell's length: what its contrast must reach to be the scale, so that a
 * camera's noise on a blank wall is no motion.
 */
const LEAST_CONTRAST = 0.25;

/** What the cells of a step differ by among themselves, on the mean, or a share of how long they are. */
function scaleOf(step: Float32Array, count: number, p: Distance): number {
  const size = step.length / count;
  const mean = new Float32Array(size);
  for (let i = 0; i < step.length; i += 1) mean[i % size]! += step[i]! / count;
  const zero = new Float32Array(size);
  let contrast = 0;
  let length = 0;
  for (let cell = 0; cell < count; cell += 1) {
    const values = step.subarray(cell * size, (cell + 1) * size);
    contrast += distanceWithin(values, mean, 0, size, p) / count;
    length += distanceWithin(values, zero, 0, size, p) / count;
  }
  return Math.max(contrast, LEAST_CONTRAST * length);
}

/** Added by the official code to every coordinate of a difference. */
const PAIRWISE_EPSILON = 1e-6;

/** Δ_t = ‖ē − e_t + 1e-6‖ [T], ē the mean over the clip (arXiv:2011.08652). The largest is never 0. */
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
