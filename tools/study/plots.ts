import type { Figure, PointPanel, PointSeries } from '../../src/lab/plots/figure.ts';
import { FAMILY, PLACEMENTS } from './cases.ts';
import type { FigureName } from './figures.ts';
import type { ResultRow } from './results.ts';

type Kind = 'short' | 'long' | 'together';

const TITLE: Readonly<Record<Kind, string>> = {
  short: 'short clips',
  long: 'long videos of a ceiling camera',
  together: 'both together',
};
const FIGURE: Readonly<Record<Kind, FigureName>> = {
  short: 'short',
  long: 'indoorAuc',
  together: 'together',
};
const Y_LABEL: Readonly<Record<Kind, string>> = {
  short: 'mean of fight AUC and interactions top-1',
  long: 'mean AUC of five actions',
  together: 'mean of both',
};

/** How a series is called in a plot, by its name in the cases. */
type Names = Readonly<Record<string, string>>;

/** Accuracy against multiply-adds, and against measured time, for the samplers at one place. */
export function samplerFigures(
  rows: readonly ResultRow[],
  names: Names,
  { title, note }: { readonly title: string; readonly note: string },
): { readonly multiplyAdds: Figure; readonly time?: Figure } {
  const kinds = ['short', 'long', 'together'] as const;
  const panelsOf = (xOf: (row: ResultRow, kind: Kind) => number, label: string): readonly PointPanel[] =>
    kinds.map((kind) => pointPanel(rows, names, kind, (row) => xOf(row, kind), label));
  const multiplyAdds: Figure = {
    title: `${title}: accuracy against multiply-adds`,
    note,
    panels: panelsOf((row, kind) => row.costRatio[kind], 'multiply-adds a clip, of dense'),
  };
  if (!rows.some((row) => row.ms)) return { multiplyAdds };
  const time: Figure = {
    title: `${title}: accuracy against measured time`,
    note,
    panels: panelsOf(msOf, 'milliseconds a clip'),
  };
  return { multiplyAdds, time };
}

/** The four places of SGS, each kind of sampling in a panel of its own. */
export function placementFigure(rows: readonly ResultRow[], note: string): Figure {
  const kinds = [
    ['trained SGS', 'SGS trained in'],
    ['untrained SGS', 'SGS untrained (pooled features)'],
    ['uniform', 'uniform stride, untrained'],
  ] as const;
  const panels = kinds.map(([prefix, title]) => {
    const names = Object.fromEntries([
      ['dense', 'dense'],
      ...PLACEMENTS.map((after) => [`${prefix} ${after}`, `after ${after}`]),
    ]) as Names;
    const x = (row: ResultRow): number => row.costRatio.together;
    return { ...pointPanel(rows, names, 'together', x, 'multiply-adds a clip, of dense'), title };
  });
  return { title: 'Where SGS sits', note, panels };
}

/** The networks of the S3D paper trained alike; frames in order and reversed. */
export function familyFigure(rows: readonly ResultRow[], note: string): Figure {
  const names = Object.fromEntries(FAMILY.map((name) => [name, name])) as Names;
  const inOrder = rows.filter((row) => row.order === 'normal');
  const cost = (row: ResultRow): number => row.multiplyAdds.short / 1e9;
  const panels = [
    {
      ...pointPanel(inOrder, names, 'together', cost, 'multiply-adds a clip, G'),
      title: 'accuracy against multiply-adds',
    },
    ...(rows.some((row) => row.ms)
      ? [
          {
            ...pointPanel(inOrder, names, 'together', (row) => msOf(row, 'together'), 'milliseconds a clip'),
            title: 'accuracy against measured time',
          },
        ]
      : []),
  ];
  return { title: 'Networks of the S3D study, trained alike', note, panels: [...panels, orderPanel(rows)] };
}

function orderPanel(rows: readonly ResultRow[]): Figure['panels'][number] {
  const barOf = (series: string, order: ResultRow['order']) => {
    const row = rows.find((candidate) => candidate.series === series && candidate.order === order);
    const estimate = row?.figures.together;
    return {
      value: estimate?.value ?? Number.NaN,
      ...(estimate && { from: estimate.from, to: estimate.to }),
    };
  };
  return {
    kind: 'bars',
    title: 'frames in order and reversed',
    x: { label: Y_LABEL.together },
    categories: FAMILY,
    series: [
      { name: 'in order', bars: FAMILY.map((name) => barOf(name, 'normal')) },
      { name: 'reversed', bars: FAMILY.map((name) => barOf(name, 'reversed')) },
    ],
  };
}

function pointPanel(
  rows: readonly ResultRow[],
  names: Names,
  kind: Kind,
  xOf: (row: ResultRow) => number,
  xLabel: string,
): PointPanel {
  const series = Object.entries(names).map(([key, name]): PointSeries => {
    const own = rows.filter((row) => row.series === key && row.order === 'normal');
    const points = own.map((row) => {
      const { value, from, to } = row.figures[FIGURE[kind]];
      return { x: xOf(row), y: value, yFrom: from, yTo: to };
    });
    // A case that came after the times were measured has none.
    const drawn = points.filter(({ x }) => Number.isFinite(x));
    return { name, line: true, points: drawn.toSorted((a, b) => a.x - b.x) };
  });
  return {
    kind: 'points',
    title: TITLE[kind],
    x: { label: xLabel, from: 0 },
    y: { label: Y_LABEL[kind] },
    series: series.filter(({ points }) => points.length > 0),
  };
}

function msOf({ ms }: ResultRow, kind: Kind): number {
  if (!ms) return Number.NaN;
  return kind === 'together' ? (ms.short + ms.long) / 2 : ms[kind];
}
