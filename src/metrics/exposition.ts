import { METRICS, type MetricName } from './metric-list.ts';

export interface Sample {
  readonly name: MetricName;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Content type of what `renderSamples` makes. */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Prometheus text format 0.0.4: samples by metric, in the order of the list. */
export function renderSamples(samples: readonly Sample[]): string {
  const lines = Object.entries(METRICS).flatMap(([name, { kind, help }]) => {
    const own = samples.filter((sample) => sample.name === name);
    if (own.length === 0) return [];
    return [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${kind}`, ...own.map(lineOf)];
  });
  return `${lines.join('\n')}\n`;
}

function lineOf({ name, labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${valueOf(value)}`;
}

function valueOf(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
