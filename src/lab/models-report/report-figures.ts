import type { BarPanel, Figure, PointPanel } from '../plots/figure.ts';
import type { Report, ReportRow } from './types.ts';

/** Accuracy of a network from the study's JSON (`networks` of bench/results/study.json). */
export interface Accuracy {
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

/** The plots of a report by file name. */
export function reportFigures(
  report: Report,
  accuracy: ReadonlyMap<string, Accuracy>,
): ReadonlyMap<string, Figure> {
  const { rows } = report;
  const note = noteOf(report);
  const figures = new Map<string, Figure>([
    ['models-time', { title: 'Time against multiply-adds', note, panels: [timePanel(rows)] }],
    ['models-bars', { title: 'The S3D family side by side', note, columns: 2, panels: barPanels(rows) }],
  ]);
  const profiled = rows.filter((row) => row.stages && !row.variant.includes(':'));
  if (profiled.length > 0) {
    figures.set('models-stages', { title: 'Where a clip’s time goes', note, panels: stagePanels(profiled) });
  }
  const known = rows.filter((row) => !row.sgs && accuracy.has(row.variant));
  if (known.length > 0) {
    figures.set('models-accuracy', {
      title: 'Accuracy against measured time',
      note: `${note}; accuracy of small networks trained alike, docs/study.md`,
      panels: [accuracyPanel(known, accuracy)],
    });
  }
  return figures;
}

/** A network's name with its SGS, e.g. `s3d-g, 8 steps after Conv_2b`. */
export function rowName({ variant, sgs, keptSteps }: ReportRow): string {
  return sgs ? `${variant}, ${keptSteps ?? sgs.keptSteps} steps after ${sgs.after}` : variant;
}

function noteOf({ network, threads, machine }: Report): string {
  const { frames, height, width, widthMultiplier } = network;
  return `${frames} frames of ${height}×${width}, width ${widthMultiplier}; ${machine}, ${threads} thread${threads === 1 ? '' : 's'}`;
}

function timePanel(rows: readonly ReportRow[]): PointPanel {
  const families = [...new Set(rows.map(familyOf))];
  return {
    kind: 'points',
    title: 'median of rounds; bars from the fastest to the slowest',
    x: { label: 'multiply-adds a clip, G', from: 0 },
    y: { label: 'milliseconds a clip', from: 0 },
    series: families.map((name) => ({
      name,
      line: name.includes('-heavy'),
      points: rows
        .filter((row) => familyOf(row) === name)
        .map((row) => ({ x: row.multiplyAdds / 1e9, y: row.ms, yFrom: row.msFrom, yTo: row.msTo }))
        .toSorted((a, b) => a.x - b.x),
    })),
  };
}

/** The cuts of one network are one series; so is each network with SGS. */
function familyOf({ variant, sgs }: ReportRow): string {
  const family = variant.split(':', 1)[0] ?? variant;
  return sgs ? `${family} with SGS after ${sgs.after}` : family;
}

function barPanels(rows: readonly ReportRow[]): readonly BarPanel[] {
  const categories = rows.map(rowName);
  const panel = (title: string, label: string, of: (row: ReportRow) => number): BarPanel => ({
    kind: 'bars',
    title,
    x: { label },
    categories,
    series: [{ name: 'network', bars: rows.map((row) => ({ value: of(row) })) }],
  });
  return [
    panel('parameters', 'millions', (row) => row.parameters / 1e6),
    panel('multiply-adds a clip', 'G', (row) => row.multiplyAdds / 1e9),
    {
      ...panel('time a clip; lines from the fastest to the slowest round', 'milliseconds', (row) => row.ms),
      series: [
        {
          name: 'network',
          bars: rows.map(({ ms, msFrom, msTo }) => ({ value: ms, from: msFrom, to: msTo })),
        },
      ],
    },
    panel('peak memory of the process', 'MiB', (row) => row.peakMiB),
  ];
}

/** Stages below this share of the longest in every network are left out of the plot. */
const SHORTEST_SHOWN = 0.02;

function stagePanels(rows: readonly ReportRow[]): readonly BarPanel[] {
  const all = rows.flatMap((row) => row.stages ?? []);
  const longest = Math.max(...all.map(({ ms }) => ms));
  const worthARow = all.filter(({ ms }) => ms >= SHORTEST_SHOWN * longest);
  const seen = new Set(worthARow.map(({ stage }) => stage));
  const categories = [...new Set(all.map(({ stage }) => stage))].filter((stage) => seen.has(stage));
  const panel = (
    title: string,
    label: string,
    of: (stage: { ms: number; multiplyAdds: number }) => number,
  ): BarPanel => ({
    kind: 'bars',
    title,
    x: { label },
    categories,
    series: rows.map((row) => ({
      name: row.variant,
      bars: categories.map((category) => {
        const found = row.stages?.find(({ stage }) => stage === category);
        return { value: found ? of(found) : Number.NaN };
      }),
    })),
  });
  return [
    panel('time of stages of 2 % of the longest and more', 'milliseconds a clip', (stage) => stage.ms),
    panel('multiply-adds', 'G a clip', (stage) => stage.multiplyAdds / 1e9),
  ];
}

function accuracyPanel(rows: readonly ReportRow[], accuracy: ReadonlyMap<string, Accuracy>): PointPanel {
  return {
    kind: 'points',
    title: 'short clips and long videos together',
    x: { label: 'milliseconds a clip', from: 0 },
    y: { label: 'mean of AUC and top-1' },
    series: rows.flatMap(({ variant, ms }) => {
      const known = accuracy.get(variant);
      if (!known) return [];
      const points = [{ x: ms, y: known.value, yFrom: known.from, yTo: known.to }];
      return [{ name: variant, line: false, points }];
    }),
  };
}
