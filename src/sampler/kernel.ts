import type { ReferenceOptions } from './types.ts';

/** Keeps a step on the edge of a linear bin from weighing nothing. */
const LINEAR_EPSILON = 1e-7;

/** Relative. A delta bin holds its edges, also where rounding puts a step this far beyond. */
const EDGE_TOLERANCE = 1e-9;

/**
 * One row of the official kernel Ψ (ATFR, arXiv:2011.08652): the weights [T] of all steps in the bin at
 * `centre`.
 *
 * @param distances [T], scaled so that bins have half width 1
 */
export function kernelRow(
  distances: Float64Array,
  centre: number,
  kernel: ReferenceOptions['kernel'],
): Float32Array {
  const linear = kernel === 'linear' || kernel === 'linear_normalized';
  const row = Float32Array.from(distances, (distance) => {
    const offset = Math.abs(distance - centre);
    if (linear) return Math.max(0, 1 + LINEAR_EPSILON - offset);
    return offset <= 1 + EDGE_TOLERANCE ? 1 : 0;
  });
  return kernel === 'linear' || kernel === 'delta' ? row : divideByCount(row);
}

/** `_normalized`: over the number of weights that are not 0, not over their sum. */
function divideByCount(row: Float32Array): Float32Array {
  const count = row.filter((weight) => weight !== 0).length;
  return count === 0 ? row : row.map((weight) => weight / count);
}
