import type { AtEqualCost } from './equal-cost.ts';
import type { Estimate } from './paired-bootstrap.ts';
import type { ResultRow } from './results.ts';

const HEADER = [
  'weights',
  'sampling',
  'order',
  'fight AUC',
  'fight accuracy',
  'interactions',
  'indoor AUC',
  'together',
  'together, above dense',
  'kept steps: short, long',
  'multiply-adds of dense: short, long, both',
  'ms: short, long',
];

/** All rows as a Markdown table; 95 % intervals in brackets. */
export function markdownTable(rows: readonly ResultRow[]): string {
  const lines = rows.map((row) => [
    row.series,
    row.sampler,
    row.order,
    withInterval(row.figures.fightAuc),
    withInterval(row.figures.fightAccuracy),
    withInterval(row.figures.interactions),
    withInterval(row.figures.indoorAuc),
    withInterval(row.figures.together),
    withInterval(row.aboveBase.together, true),
    `${row.keptSteps.short.toFixed(1)}, ${row.keptSteps.long.toFixed(1)} of ${row.inputSteps}`,
    [row.costRatio.short, row.costRatio.long, row.costRatio.together].map((x) => x.toFixed(2)).join(', '),
    row.ms ? `${row.ms.short.toFixed(1)}, ${row.ms.long.toFixed(1)}` : '–',
  ]);
  return markdown(HEADER, lines);
}

/** A row each point of the series, with what it is above each rival at the same cost. */
export function equalCostTable(comparisons: readonly AtEqualCost[]): string {
  const header = [
    'sampling',
    'beside',
    'multiply-adds of dense: short, long, both',
    'short',
    'long',
    'together',
  ];
  const lines = comparisons.map(({ sampler, rival, costRatio, above }) => [
    sampler,
    rival,
    [costRatio.short, costRatio.long, costRatio.together].map((x) => x.toFixed(2)).join(', '),
    ...[above.short, above.indoorAuc, above.together].map((estimate) => withInterval(estimate, true)),
  ]);
  return markdown(header, lines);
}

function markdown(header: readonly string[], lines: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function withInterval({ value, from, to }: Estimate, signed = false): string {
  const written = (x: number): string => `${signed && x > 0 ? '+' : ''}${x.toFixed(3)}`;
  return `${written(value)} [${written(from)}, ${written(to)}]`;
}
