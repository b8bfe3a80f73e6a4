import { cellsOf, type Cells } from '../core/cells.ts';
import type { Frame } from '../core/frame.ts';

/** What a frame is like, at the size that the network sees. Levels are those of green, of 255. */
export interface FrameMeasures {
  /** Level below which 98 % of the pixels lie. */
  readonly brightest: number;
  /** Standard deviation of the levels. */
  readonly contrast: number;
  /** Difference of pixels from their neighbours (root mean square) over the contrast: falls with focus. */
  readonly sharpness: number;
  readonly cells: Cells;
}

const NEARLY_ALL = 0.98;
/** Pixels each way. */
const CELL = 4;

export function measureFrame(frame: Frame): FrameMeasures {
  const { data, width, height } = frame;
  const pixels = width * height;
  const counts = new Uint32Array(256);
  for (let at = 1; at < data.length; at += 3) counts[data[at]!]! += 1;
  let [sum, squares, below, brightest] = [0, 0, 0, 255];
  for (let level = 0; level < 256; level += 1) {
    const count = counts[level]!;
    sum += level * count;
    squares += level * level * count;
    if (below < NEARLY_ALL * pixels) brightest = level;
    below += count;
  }
  const contrast = Math.sqrt(Math.max(0, squares / pixels - (sum / pixels) ** 2));
  const sharpness = contrast === 0 ? 0 : edgesOf(frame) / contrast;
  return { brightest, contrast, sharpness, cells: cellsOf({ data, width, height }, CELL) };
}

/** Laplace operator over 4, root mean square: strong edges decide, which a blur takes first. */
function edgesOf({ data, width, height }: Frame): number {
  let sum = 0;
  const line = width * 3;
  for (let y = 1; y < height - 1; y += 1) {
    const end = (y + 1) * line - 3;
    for (let at = y * line + 4; at < end; at += 3)
      sum += (4 * data[at]! - data[at - 3]! - data[at + 3]! - data[at - line]! - data[at + line]!) ** 2;
  }
  return Math.sqrt(sum / Math.max(1, (width - 2) * (height - 2))) / 4;
}

/** The largest change of a cell, in levels. */
export function largestChange({ means: a }: Cells, { means: b }: Cells): number {
  let largest = 0;
  for (let cell = 0; cell < a.length; cell += 1) largest = Math.max(largest, Math.abs(a[cell]! - b[cell]!));
  return largest;
}
