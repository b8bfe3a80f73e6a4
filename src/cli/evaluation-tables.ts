import type { Writable } from 'node:stream';
import type { EvaluationReport } from '../lab/harness/types.ts';
import type { Agreement } from '../lab/evaluation/agreement.ts';
import type { ComputeFigures } from '../lab/evaluation/compute-figures.ts';
import type { EventFigures } from '../lab/evaluation/event-figures.ts';
import type { Interval } from '../core/wilson.ts';
import type { DatasetFigures } from '../lab/evaluation/report.ts';
import { printLine, printTable } from './io.ts';

type Row = readonly [figure: string, value: string, interval: string];

/** The report as tables for people. */
export function printEvaluation(stream: Writable, report: EvaluationReport): void {
  const { model, sampler, split, order, datasets, compute, failed } = report;
  const settings = Object.entries(sampler).map(([key, value]) =>
    key === 'kind' ? String(value) : `${key} ${String(value)}`,
  );
  const parts = [
    `${model.id} ${model.version}`,
    settings.join(' '),
    split ?? 'all splits',
    `frames ${order}`,
  ];
  printLine(stream, parts.join(' · '));
  const rows = Object.entries(datasets).flatMap(([name, figures]) =>
    rowsOf(figures).map((row, index) => [index === 0 ? name : '', ...row]),
  );
  if (rows.length > 0) {
    printLine(stream, '');
    printTable(stream, [['DATA SET', 'FIGURE', 'VALUE', '95 % INTERVAL'], ...rows]);
  }
  for (const [name, figures] of Object.entries(datasets)) {
    if ('confusion' in figures) printConfusion(stream, name, figures.confusion);
  }
  if (compute) printCompute(stream, [...perDataset(datasets), ['all', compute]]);
  if (failed.length > 0) printLine(stream, `\n${failed.length} videos could not be evaluated`);
}

function rowsOf(figures: DatasetFigures): readonly Row[] {
  switch (figures.task) {
    case 'detection': {
      const { n, positives, auc, auc_interval, accuracy, accuracy_interval, threshold } = figures;
      return [
        ['clips', `${n}, ${positives} positive`, ''],
        ['AUC', auc?.toFixed(3) ?? '–', decimals(auc_interval)],
        [`accuracy at ${threshold}`, percent(accuracy), percents(accuracy_interval)],
      ];
    }
    case 'choice':
    case 'classification': {
      const { n, choices, top1, top1_interval, top5, top5_interval } = figures;
      return [
        ['clips', String(n), ''],
        [`top-1 of ${choices}`, percent(top1), percents(top1_interval)],
        ...(top5 === undefined ? [] : [['top-5', percent(top5), percents(top5_interval)] as const]),
      ];
    }
    case 'events': {
      const labels = Object.entries(figures.labels);
      const first = labels.find(([name]) => name === figures.headline);
      const others = labels.filter(([name]) => name !== figures.headline);
      return [
        ['videos', `${figures.videos}, ${figures.hours.toFixed(2)} h`, ''],
        ...(first ? eventRows(...first) : []),
        ...others.map(
          ([name, found]) => [name, foundOf(found), `F1 ${found.f1?.toFixed(2) ?? '–'}`] as const,
        ),
      ];
    }
    case 'cost':
      return [['videos', String(figures.videos), '']];
  }
}

function eventRows(name: string, figures: EventFigures): readonly Row[] {
  return [
    [name, foundOf(figures), ''],
    ['F1', figures.f1?.toFixed(3) ?? '–', decimals(figures.f1_interval)],
    ['precision', percent(figures.precision), percents(figures.precision_interval)],
    ['recall', percent(figures.recall), percents(figures.recall_interval)],
    [
      'false alarms an hour',
      figures.false_alarms_an_hour.toFixed(1),
      decimals(figures.false_alarms_an_hour_interval, 1),
    ],
    ['onset, offset error', `${seconds(figures.onset_error_s)}, ${seconds(figures.offset_error_s)}`, ''],
  ];
}

function foundOf({ detected, events, false_alarms, repeats }: EventFigures): string {
  return `${detected} of ${events} found, ${false_alarms} false, ${repeats} repeated`;
}

function printConfusion(
  stream: Writable,
  name: string,
  confusion: Readonly<Record<string, Readonly<Record<string, number>>>>,
): void {
  const columns = [
    ...new Set([...Object.keys(confusion), ...Object.values(confusion).flatMap((row) => Object.keys(row))]),
  ];
  printLine(stream, '');
  printTable(stream, [
    [`${name}: TRUE \\ CHOSEN`, ...columns],
    ...Object.entries(confusion).map(([truth, row]) => [
      truth,
      ...columns.map((column) => String(row[column] ?? '·')),
    ]),
  ]);
}

function perDataset(datasets: EvaluationReport['datasets']): readonly (readonly [string, ComputeFigures])[] {
  return Object.entries(datasets).map(([name, { compute }]) => [name, compute] as const);
}

function printCompute(stream: Writable, rows: readonly (readonly [string, ComputeFigures])[]): void {
  printLine(stream, '');
  printTable(stream, [
    [
      'A CLIP OF',
      'CLIPS',
      'KEPT STEPS',
      'MULTIPLY-ADDS',
      'OF DENSE',
      'OF DENSE, SHARED',
      'TIME',
      'KEPT STEPS: CLIPS',
    ],
    ...rows.map(([name, figures]) => [
      name,
      String(figures.inferences),
      `${figures.kept_steps.toFixed(2)} of ${figures.input_steps} (${percent(figures.kept_ratio)})`,
      `${(figures.multiply_adds / 1e9).toFixed(2)} G`,
      percent(figures.multiply_adds_ratio),
      percent(figures.multiply_adds_ratio_shared),
      `${figures.ms.toFixed(0)} ms`,
      Object.entries(figures.histogram)
        .map(([steps, clips]) => `${steps}: ${clips}`)
        .join(', '),
    ]),
  ]);
}

function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${(share * 100).toFixed(1)} %`;
}

function percents(interval: Interval | undefined): string {
  return interval ? `${(interval[0] * 100).toFixed(0)}–${(interval[1] * 100).toFixed(0)} %` : '';
}

function decimals(interval: Interval | undefined, digits = 2): string {
  return interval ? `${interval[0].toFixed(digits)}–${interval[1].toFixed(digits)}` : '';
}

function seconds(value: number | undefined): string {
  return value === undefined ? '–' : `${value.toFixed(2)} s`;
}

/** What `--agreement` found, one figure a line. */
export function printAgreement(stdout: Writable, found: Agreement): void {
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  const rows: readonly (readonly [string, string])[] = [
    ['windows', String(found.windows)],
    ['best label the same', percent(found.top1)],
    ['decisions the same', percent(found.decisions)],
    ['scores apart by', found.mean_abs_score.toFixed(4)],
    ['divergence (nats)', found.kl.toFixed(4)],
    ['steps kept', percent(found.kept_ratio)],
    ['multiply-adds of dense', percent(found.multiply_adds_ratio)],
    ['time of dense', percent(found.time_ratio)],
  ];
  for (const [name, value] of rows) printLine(stdout, `${name.padEnd(24)}${value}`);
}
