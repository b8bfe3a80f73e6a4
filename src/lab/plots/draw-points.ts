import type { Point, PointPanel } from './figure.ts';
import { FAINT, INK } from './palette.ts';
import { element, text } from './svg.ts';
import { scaleOf } from './ticks.ts';

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const LEFT = 54;
const BOTTOM = 44;
const TOP = 26;

/** Dots with upright intervals; a line where the series asks for one. */
export function drawPoints(panel: PointPanel, box: Box, colours: ReadonlyMap<string, string>): string[] {
  const points = panel.series.flatMap((series) => series.points);
  const inner = {
    left: box.left + LEFT,
    right: box.left + box.width - 8,
    top: box.top + TOP,
    bottom: box.top + box.height - BOTTOM,
  };
  const xScale = scaleOf(
    points.map((point) => point.x),
    panel.x,
  );
  const yScale = scaleOf(
    points.flatMap((point) => [point.y, point.yFrom ?? point.y, point.yTo ?? point.y]),
    panel.y,
  );
  const x = (value: number): number =>
    inner.left + ((value - xScale.from) / (xScale.to - xScale.from)) * (inner.right - inner.left);
  const y = (value: number): number =>
    inner.bottom - ((value - yScale.from) / (yScale.to - yScale.from)) * (inner.bottom - inner.top);
  return [
    text(box.left, box.top + 12, panel.title, { size: 13, bold: true }),
    ...yScale.ticks.flatMap((tick) => [
      element('line', { x1: inner.left, x2: inner.right, y1: y(tick), y2: y(tick), stroke: FAINT }),
      text(inner.left - 6, y(tick) + 4, String(tick), { anchor: 'end', size: 11 }),
    ]),
    ...xScale.ticks.flatMap((tick) => [
      element('line', { x1: x(tick), x2: x(tick), y1: inner.bottom, y2: inner.bottom + 4, stroke: INK }),
      text(x(tick), inner.bottom + 17, String(tick), { anchor: 'middle', size: 11 }),
    ]),
    element('line', { x1: inner.left, x2: inner.right, y1: inner.bottom, y2: inner.bottom, stroke: INK }),
    text((inner.left + inner.right) / 2, inner.bottom + 36, panel.x.label, { anchor: 'middle' }),
    text(box.left + 10, (inner.top + inner.bottom) / 2, panel.y.label, { anchor: 'middle', turn: -90 }),
    ...panel.series.flatMap(({ name, points: own, line }) => {
      const colour = colours.get(name) ?? INK;
      const path = own.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(' ');
      const joined = line && own.length > 1;
      return [
        ...(joined
          ? [element('polyline', { points: path, fill: 'none', stroke: colour, 'stroke-width': 1.6 })]
          : []),
        ...own.flatMap((point) => interval(point, x(point.x), y, colour)),
        ...own.map((point) => element('circle', { cx: x(point.x), cy: y(point.y), r: 4, fill: colour })),
      ];
    }),
  ];
}

function interval(point: Point, at: number, y: (value: number) => number, colour: string): string[] {
  if (point.yFrom === undefined || point.yTo === undefined) return [];
  return [
    element('line', { x1: at, x2: at, y1: y(point.yFrom), y2: y(point.yTo), stroke: colour, opacity: 0.45 }),
  ];
}
