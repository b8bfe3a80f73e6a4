import type { HeadNode } from './network/graph.ts';
import { headWindow } from './network/head-window.ts';
import type { Triple } from './network/stages.ts';

/** Means over space as constant matrices, for engines that apply them by one product. */

/** [h·w]: weight of each pixel in the mean over all positions of the head's sliding average. */
export function headPixelShares(
  node: Pick<HeadNode, 'pooling'>,
  height: number,
  width: number,
): Float32Array {
  // The window's height and width do not depend on the steps.
  const [, kernelHeight, kernelWidth] = headWindow(node, [1, height, width]);
  const rows = axisShares(height, kernelHeight);
  const columns = axisShares(width, kernelWidth);
  return Float32Array.from(rows.flatMap((row) => columns.map((column) => row * column)));
}

/** [t]: weight of each step in that mean. */
export function headStepShares(node: Pick<HeadNode, 'pooling'>, shape: Triple): readonly number[] {
  const [kernel] = headWindow(node, shape);
  return axisShares(shape[0], kernel);
}

/**
 * [h·w, grid·grid]: column g averages cell g; cells overlap by a pixel where the grid does not
 * divide the map.
 */
export function rasterMatrix(grid: number, height: number, width: number): Float32Array {
  const rows = cellBounds(height, grid);
  const columns = cellBounds(width, grid);
  const matrix = new Float32Array(height * width * grid * grid);
  rows.forEach(([top, bottom], i) => {
    columns.forEach(([left, right], j) => {
      const share = 1 / ((bottom - top) * (right - left));
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) matrix[(y * width + x) * grid * grid + i * grid + j] = share;
      }
    });
  });
  return matrix;
}

function axisShares(length: number, kernel: number): readonly number[] {
  const positions = length - kernel + 1;
  return Array.from({ length }, (_, i) => {
    const covering = Math.min(i, positions - 1) - Math.max(0, i - kernel + 1) + 1;
    return covering / (positions * kernel);
  });
}

function cellBounds(length: number, grid: number): readonly (readonly [from: number, to: number])[] {
  return Array.from({ length: grid }, (_, i) => [
    Math.floor((i * length) / grid),
    Math.ceil(((i + 1) * length) / grid),
  ]);
}
