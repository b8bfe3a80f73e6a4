/** A frame in square cells. */
export interface Cells {
  readonly columns: number;
  readonly rows: number;
  /** Mean of green by cell, row by row: most of what the eye takes for brightness. */
  readonly means: Float64Array;
}

interface Raster {
  /** rgb24 */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Within a cell of `size` pixels each way noise averages out. Those at right and bottom may be smaller. */
export function cellsOf({ data, width, height }: Raster, size: number): Cells {
  const [columns, rows] = [Math.ceil(width / size), Math.ceil(height / size)];
  const means = new Float64Array(columns * rows);
  for (let y = 0; y < height; y += 1) {
    const row = Math.floor(y / size) * columns;
    for (let x = 0; x < width; x += 1) means[row + Math.floor(x / size)]! += data[(y * width + x) * 3 + 1]!;
  }
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1)
      means[row * columns + column]! /=
        Math.min(size, width - column * size) * Math.min(size, height - row * size);
  return { columns, rows, means };
}
