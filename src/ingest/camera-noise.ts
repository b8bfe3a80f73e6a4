/** The noise of one camera, learned from its frames. */
export interface CameraNoise {
  /**
   * Whether a frame differs from a reference by no more than noise; learns from the difference.
   * @param frame rgb24 of the size that the noise was created for, like `reference`
   */
  covers(frame: Uint8Array, reference: Uint8Array): boolean;
}

/** Pixels each way, at the size that the network sees. Within a cell noise averages out. */
const CELL = 2;
const BLOCK = 4;
const CELLS = BLOCK / CELL;
/** Levels of 255 by which a block may differ before anything is learned: what codecs do to still frames. */
const LEAST = 3;
/** The most that is ever taken for noise. A larger change is motion, however often it comes. */
export const MOST_NOISE = 6;
/** Noise is what LEARNED of a block's differences lie within, and MARGIN times that is allowed. */
const LEARNED = 0.9;
const MARGIN = 2;
/** Levels that one frame moves what is known of a block. */
const RATE = 0.05;

/**
 * A block differs by the mean of its four cells' absolute differences; a cell by the mean over its pixels
 * and colours. A frame counts as changed where a single block differs by more than that block's noise, so
 * a small distant person counts.
 *
 * What is known of a block is a quantile of its differences, followed step by step (stochastic
 * approximation: Robbins and Monro, 1951): up by RATE · LEARNED where a difference lies above, else down
 * by RATE · (1 − LEARNED). What is allowed stays between LEAST and MOST_NOISE, so nobody who moves in one
 * place for long is learned.
 */
export function createCameraNoise(size: { readonly width: number; readonly height: number }): CameraNoise {
  const { width, height } = size;
  const columns = Math.ceil(width / BLOCK);
  const rows = Math.ceil(height / BLOCK);
  const learned = new Float32Array(columns * rows);
  /** One row of blocks. */
  const differences = new Float64Array(columns);
  const cells = new Int32Array(columns * CELLS);

  /** Adds up differences of one row of cells. */
  const addCells = (frame: Uint8Array, reference: Uint8Array, from: number, to: number): void => {
    cells.fill(0);
    for (let y = from; y < to; y += 1) {
      let at = y * width * 3;
      const end = at + width * 3;
      for (let cell = 0; at < end; cell += 1) {
        const stop = Math.min(end, at + CELL * 3);
        let sum = 0;
        for (; at < stop; at += 1) sum += frame[at]! - reference[at]!;
        cells[cell]! += sum;
      }
    }
    for (let column = 0, cell = 0; column < columns; column += 1)
      for (const last = cell + CELLS; cell < last; cell += 1) differences[column]! += Math.abs(cells[cell]!);
  };

  /** True where one row of blocks is within its noise, which is learned. */
  const coversRow = (row: number, lines: number): boolean => {
    let covered = true;
    for (let column = 0; column < columns; column += 1) {
      const bytes = lines * Math.min(BLOCK, width - column * BLOCK) * 3;
      const difference = differences[column]! / bytes;
      const known = learned[row * columns + column]!;
      if (difference > Math.min(MOST_NOISE, Math.max(LEAST, MARGIN * known))) covered = false;
      const step = difference > known ? RATE * LEARNED : RATE * (LEARNED - 1);
      learned[row * columns + column] = Math.max(0, known + step);
    }
    return covered;
  };

  return {
    covers(frame, reference) {
      // Says nothing about noise: a codec that sends no change hides it.
      if (frame === reference || Buffer.compare(frame, reference) === 0) return true;
      let covered = true;
      for (let row = 0; row < rows; row += 1) {
        const end = Math.min(height, (row + 1) * BLOCK);
        differences.fill(0);
        for (let y = row * BLOCK; y < end; y += CELL) addCells(frame, reference, y, Math.min(end, y + CELL));
        covered = coversRow(row, end - row * BLOCK) && covered;
      }
      return covered;
    },
  };
}
