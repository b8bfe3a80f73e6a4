import type { RunReading } from './run-metrics.ts';

/** One metric, whole: what `/metrics` and docs/metrics.md say of it, and where its value is read. */
export interface Metric {
  readonly kind: 'gauge' | 'counter';
  readonly help: string;
  /** They hold no unbounded value. */
  readonly labels: readonly string[];
  /** One point for each combination of labels that there is now. */
  readonly read: (run: RunReading) => readonly Point[];
}

/**
 * A value and its labels, in the order of the metric's list. Undefined: unknown at present, so not served.
 */
export type Point = readonly [value: number | undefined, ...labels: readonly string[]];

export type Metrics = Readonly<Record<`actionstream_${string}`, Metric>>;

/** One value of the whole run. */
export function runGauge(help: string, read: (run: RunReading) => number | undefined): Metric {
  return { kind: 'gauge', help, labels: [], read: (run) => [[read(run)]] };
}

export function runCounter(help: string, read: (run: RunReading) => number): Metric {
  return { kind: 'counter', help, labels: [], read: (run) => [[read(run)]] };
}

/** Counts by reason, sink and the like: that is the last label. */
export function pointsOf(
  counts: Readonly<Record<string, number>>,
  ...labels: readonly string[]
): readonly Point[] {
  return Object.entries(counts).map(([name, value]) => [value, ...labels, name]);
}
