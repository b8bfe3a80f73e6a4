import type { Bar, BarPanel } from './figure.ts';
import type { Box } from './draw-points.ts';
import { FAINT, INK } from './palette.ts';
import { element, text } from './svg.ts';
import { scaleOf } from './ticks.ts';

const TOP = 26;
const BOTTOM = 44;
const BAR = 13;
const ROW_GAP = 5;
const LETTER = 6.4;
/** Of the axis label, which is a size larger. */
const LABEL_LETTER = 7;
const CAPTION_LINE = 14;

export function barPanelHeight(panel: BarPanel, width: number): number {
  return TOP + BOTTOM + panel.categories.length * rowHeight(panel, width);
}

/**
 * Rows of horizontal bars from zero, captions on the left, or above where they
 * would take half of the width; intervals as thin lines.
 */
export function drawBars(panel: BarPanel, box: Box, colours: ReadonlyMap<string, string>): string[] {
  const above = captionsAbove(panel, box.width);
  const left = box.left + (above ? 4 : captionWidth(panel));
  const right = box.left + box.width - 16;
  const height = rowHeight(panel, box.width);
  const bottom = box.top + TOP + panel.categories.length * height;
  const labelRoom = (panel.x.label.length * LABEL_LETTER) / 2;
  const middle = Math.min((left + right) / 2, box.left + box.width - labelRoom);
  const scale = scaleOf([0, ...endsOf(panel)], { ...panel.x, count: 4 });
  const x = (value: number): number =>
    left + ((value - scale.from) / (scale.to - scale.from)) * (right - left);
  return [
    text(box.left, box.top + 12, panel.title, { size: 13, bold: true }),
    ...scale.ticks.flatMap((tick) => [
      element('line', { x1: x(tick), x2: x(tick), y1: box.top + TOP - 4, y2: bottom, stroke: FAINT }),
      text(x(tick), bottom + 15, String(tick), { anchor: 'middle', size: 11 }),
    ]),
    text(middle, bottom + 34, panel.x.label, { anchor: 'middle' }),
    ...panel.categories.flatMap((category, row) => {
      const top = box.top + TOP + row * height;
      const caption = above
        ? text(left + 3, top + 9, category, { size: 11 })
        : text(left - 6, top + height / 2 + 2, category, { anchor: 'end', size: 11 });
      return [caption, ...drawRow(panel, row, { top: top + (above ? CAPTION_LINE : 0), x }, colours)];
    }),
    element('line', { x1: x(0), x2: x(0), y1: box.top + TOP - 4, y2: bottom, stroke: INK }),
  ];
}

function drawRow(
  panel: BarPanel,
  row: number,
  { top, x }: { readonly top: number; readonly x: (value: number) => number },
  colours: ReadonlyMap<string, string>,
): string[] {
  let base = 0;
  return panel.series.flatMap(({ name, bars }, index) => {
    const bar = bars[row];
    if (!bar || !Number.isFinite(bar.value)) return [];
    const y = panel.stacked ? top : top + index * BAR;
    const from = panel.stacked ? base : 0;
    base += bar.value;
    const fill = colours.get(name) ?? INK;
    const width = Math.max(0, x(from + bar.value) - x(from));
    const drawn = element('rect', { x: x(from), y, width, height: BAR - 2, fill });
    return [drawn, ...intervalOf(bar, y + (BAR - 2) / 2, x)];
  });
}

function intervalOf(bar: Bar, y: number, x: (value: number) => number): string[] {
  if (bar.from === undefined || bar.to === undefined) return [];
  return [
    element('line', { x1: x(bar.from), x2: x(bar.to), y1: y, y2: y, stroke: INK, 'stroke-width': 1.4 }),
  ];
}

function rowHeight(panel: BarPanel, width: number): number {
  const { series, stacked } = panel;
  return BAR * (stacked ? 1 : series.length) + ROW_GAP + (captionsAbove(panel, width) ? CAPTION_LINE : 0);
}

function captionsAbove(panel: BarPanel, width: number): boolean {
  return captionWidth(panel) > width / 2;
}

function captionWidth({ categories }: BarPanel): number {
  return Math.max(...categories.map((category) => category.length)) * LETTER + 8;
}

function endsOf({ series, categories, stacked }: BarPanel): readonly number[] {
  const values = (row: number): number[] =>
    series.map(({ bars }) => bars[row]?.value ?? 0).filter((value) => Number.isFinite(value));
  if (stacked) return categories.map((_, row) => values(row).reduce((sum, value) => sum + value, 0));
  const intervals = series.flatMap(({ bars }) => bars.flatMap(({ to }) => (to === undefined ? [] : [to])));
  return [...categories.flatMap((_, row) => values(row)), ...intervals];
}
