import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Metric, Metrics, Point } from './metric.ts';
import type { RunReading } from './run-metrics.ts';

/** Content type of what a renderer makes. */
export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/**
 * Renders Prometheus' text format 0.0.4: the given metrics as `read` finds the run,
 * in their order, then memory, CPU, descriptors, event loop and garbage collection of
 * this process. Nothing is counted here, so each scrape fills a registry of its own.
 */
export function createRenderer(metrics: Metrics, read: () => RunReading): () => Promise<string> {
  const processFigures = new Registry();
  collectDefaultMetrics({ register: processFigures });
  return async () => {
    const registry = new Registry();
    const run = read();
    for (const [name, metric] of Object.entries(metrics)) register(registry, { ...metric, name }, run);
    return `${await registry.metrics()}\n${await processFigures.metrics()}`;
  };
}

function register(
  registry: Registry,
  { name, kind, help, labels: labelNames, read }: Metric & { readonly name: string },
  run: RunReading,
): void {
  const points = read(run).filter(isKnown);
  if (points.length === 0) return;
  const options = { name, help, labelNames, registers: [registry] };
  const metric = kind === 'gauge' ? new Gauge(options) : new Counter(options);
  for (const [value, ...texts] of points) {
    const labels = Object.fromEntries(labelNames.map((label, n) => [label, texts[n] ?? '']));
    if (metric instanceof Gauge) metric.set(labels, value);
    else metric.inc(labels, value);
  }
}

function isKnown(point: Point): point is readonly [value: number, ...labels: readonly string[]] {
  return point[0] !== undefined;
}
