/** A row of feature maps and where it goes. */
export interface RowMove {
  readonly from: number;
  readonly to: number;
}

/**
 * Whether the moves can be made within one memory, one after the other: none reads a row that an
 * earlier one wrote.
 */
export function movesInPlace(moves: readonly RowMove[]): boolean {
  return moves.every(({ from, to }, i) => from >= to && (i === 0 || from >= moves[i - 1]!.from));
}

/**
 * Copies rows of `rowSize` numbers in that order, neighbours at once; within one memory where
 * `movesInPlace`.
 */
export function moveRows(
  target: Float32Array,
  source: Float32Array,
  moves: readonly RowMove[],
  rowSize: number,
): void {
  for (let i = 0; i < moves.length;) {
    const { from, to } = moves[i]!;
    let count = 1;
    while (moves[i + count]?.from === from + count && moves[i + count]?.to === to + count) count += 1;
    // `set` copies as if all were read first, also within one memory.
    target.set(source.subarray(from * rowSize, (from + count) * rowSize), to * rowSize);
    i += count;
  }
}
