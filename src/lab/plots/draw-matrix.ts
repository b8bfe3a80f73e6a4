import type { Box } from './draw-points.ts';
import type { MatrixPanel } from './figure.ts';
import { COLOURS, FAINT, INK } from './palette.ts';
import { element, text } from './svg.ts';

const TOP = 48;
const BOTTOM = 30;
const LETTER = 6.4;
/** Letters of a label that are drawn; the rest is left out. */
const MOST_LETTERS = 18;
const LARGEST_CELL = 44;

export function matrixPanelHeight(panel: MatrixPanel, width: number): number {
  const { side } = layoutOf(panel, width);
  return TOP + captionWidth(panel) + panel.labels.length * side + BOTTOM;
}

/** Rows and columns of the same labels; a cell is as dark as its share of the row, with its count in it. */
export function drawMatrix(panel: MatrixPanel, box: Box): string[] {
  const { side, left } = layoutOf(panel, box.width);
  const [x0, y0] = [box.left + left, box.top + TOP + captionWidth(panel)];
  const size = panel.labels.length * side;
  const shorten = (label: string): string =>
    label.length > MOST_LETTERS ? `${label.slice(0, MOST_LETTERS - 1)}…` : label;
  const captions = panel.labels.flatMap((label, index) => {
    const middle = (index + 0.5) * side;
    return [
      text(x0 - 6, y0 + middle + 4, shorten(label), { anchor: 'end', size: 11 }),
      text(x0 + middle + 4, y0 - 6, shorten(label), { size: 11, turn: -90 }),
    ];
  });
  return [
    text(box.left, box.top + 12, panel.title, { size: 13, bold: true }),
    text(x0, box.top + 32, panel.columns, { size: 12 }),
    ...captions,
    ...panel.counts.flatMap((row, y) => drawRow(row, { left: x0, top: y0 + y * side, side })),
    text(x0 + size / 2, y0 + size + 20, panel.rows, { anchor: 'middle', size: 12 }),
  ];
}

function drawRow(
  row: readonly number[],
  { left, top, side }: { readonly left: number; readonly top: number; readonly side: number },
): string[] {
  const total = row.reduce((sum, count) => sum + count, 0);
  return row.flatMap((count, column) => {
    const share = total === 0 ? 0 : count / total;
    const cell = { x: left + column * side, y: top, width: side - 1, height: side - 1 };
    const shade = element('rect', { ...cell, fill: COLOURS[0], opacity: Math.max(0.02, share) });
    const frame = element('rect', { ...cell, fill: 'none', stroke: FAINT });
    if (count === 0) return [shade, frame];
    const colour = share > 0.5 ? '#ffffff' : INK;
    const middle = { x: cell.x + side / 2, y: top + side / 2 + 4 };
    return [shade, frame, text(middle.x, middle.y, String(count), { anchor: 'middle', size: 11, colour })];
  });
}

function layoutOf(panel: MatrixPanel, width: number): { readonly side: number; readonly left: number } {
  const left = captionWidth(panel);
  return { left, side: Math.min(LARGEST_CELL, (width - left - 8) / panel.labels.length) };
}

function captionWidth({ labels }: MatrixPanel): number {
  const longest = Math.max(...labels.map((label) => Math.min(MOST_LETTERS, label.length)));
  return longest * LETTER + 10;
}
