import type { ReferenceOptions } from './types.ts';

/** The official kernels work on bins of half width 1; epsilon keeps a step on a bin's edge from weighing nothing. */
const ONE_PLUS_EPSILON = Math.fround(1 + 1e-7);

/**
 * One row of the official kernel Ψ (MODELS.md §2.1): the weights of all steps in the bin at `centre`, single precision.
 *
 * @param distances [T], scaled so that the largest is 2B
 * @param halfWidth of the delta kernel's bin; the linear kernel always takes 1
 */
export function kernelRow(
  distances: Float32Array,
  { centre, halfWidth }: { readonly centre: number; readonly halfWidth: number },
  kernel: ReferenceOptions['kernel'],
): Float32Array {
  const row = distances.map((distance) => {
    const offset = Math.fround(Math.abs(distance - centre));
    if (kernel.startsWith('linear')) return Math.max(0, ONE_PLUS_EPSILON - offset);
    return offset <= halfWidth ? 1 : 0;
  });
  return kernel.endsWith('_normalized') ? divideByCount(row) : row;
}

/** The weight, in exact arithmetic, of the step that is farthest from the mean: it always lies on its bin's edge. */
export const EDGE_WEIGHT = Math.fround(ONE_PLUS_EPSILON - 1);

function divideByCount(row: Float32Array): Float32Array {
  const count = row.reduce((n, weight) => (weight === 0 ? n : n + 1), 0);
  return count === 0 ? row : row.map((weight) => weight / count);
}
