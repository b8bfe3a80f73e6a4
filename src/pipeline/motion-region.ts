import { cellsOf, type Cells } from '../core/cells.ts';
import type { Frame } from '../core/frame.ts';
import type { Region } from '../core/region.ts';

/** Pixels each way of a cell, at the size that the network sees; within it noise averages out. */
const CELL = 4;
/** Levels of 255 by which a cell's mean must change: above what is ever taken for noise (camera-noise.ts). */
const LEAST_CHANGE = 8;
/** A cell that changes once may be a flash or a damaged frame. */
const LEAST_TIMES = 2;
/** Comparisons over a clip. Neighbouring frames of slow motion differ too little. */
const STEPS = 8;

/**
 * Where the frame moved during a clip: the least box around the cells whose mean changed, in parts of the
 * frame. Undefined where nothing moved.
 *
 * A cell without a neighbour that moved does not count. Of a change of light it is the whole frame.
 *
 * @param view part of the frame that the frames show
 */
export function regionOfMotion(frames: readonly Frame[], view: Region): Region | undefined {
  const [first] = frames;
  if (!first) return undefined;
  const { width, height } = first;
  const columns = Math.ceil(width / CELL);
  const moved = timesMoved(frames, columns * Math.ceil(height / CELL));
  const isMoving = (column: number, row: number): boolean =>
    column >= 0 && column < columns && (moved[row * columns + column] ?? 0) >= LEAST_TIMES;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [cell] of moved.entries()) {
    const [column, row] = [cell % columns, Math.floor(cell / columns)];
    if (!isMoving(column, row)) continue;
    if (!NEIGHBOURS.some(([x, y]) => isMoving(column + x, row + y))) continue;
    [left, right] = [Math.min(left, column), Math.max(right, column + 1)];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row + 1)];
  }
  if (left === Infinity) return undefined;
  const inParts = (cells: number, size: number): number => Math.min(1, (cells * CELL) / size);
  const [x, y] = [inParts(left, width), inParts(top, height)];
  return {
    x: view.x + x * view.width,
    y: view.y + y * view.height,
    width: (inParts(right, width) - x) * view.width,
    height: (inParts(bottom, height) - y) * view.height,
  };
}

const NEIGHBOURS = [-1, 0, 1]
  .flatMap((y) => [-1, 0, 1].map((x) => [x, y] as const))
  .filter(([x, y]) => x !== 0 || y !== 0);

/** By cell: in how many comparisons its mean changed. */
function timesMoved(frames: readonly Frame[], cells: number): Uint8Array {
  const step = Math.max(1, Math.floor(frames.length / STEPS));
  const moved = new Uint8Array(cells);
  let before: Cells | undefined;
  for (const frame of frames.filter((_, n) => n % step === 0)) {
    const now = cellsOf(frame, CELL);
    for (let cell = 0; before && cell < cells; cell += 1)
      if (Math.abs(now.means[cell]! - before.means[cell]!) > LEAST_CHANGE) moved[cell]! += 1;
    before = now;
  }
  return moved;
}
