import { fetchFile } from './session.ts';

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The metrics of the program at one moment; docs/metrics.md says what each means. */
export class Metrics {
  readonly #samples: readonly Sample[];

  /** @param text Prometheus' text format, version 0.0.4 */
  constructor(text: string) {
    this.#samples = text.split('\n').flatMap(sampleOf);
  }

  /** Every sample of a metric, without the prefix `actionstream_`. */
  all(name: string): readonly Sample[] {
    return this.#samples.filter((sample) => sample.name === `actionstream_${name}`);
  }

  /** The sum over all labels; undefined where the program has no such metric. */
  sum(name: string): number | undefined {
    const samples = this.all(name);
    return samples.length === 0 ? undefined : samples.reduce((sum, { value }) => sum + value, 0);
  }

  /** A figure of the process, as prom-client names it. */
  ofProcess(name: string): number | undefined {
    return this.#samples.find((sample) => sample.name === name)?.value;
  }
}

/** @throws ApiProblem */
export async function loadMetrics(signal: AbortSignal): Promise<Metrics> {
  return new Metrics(await (await fetchFile('/metrics', signal)).text());
}

function sampleOf(line: string): readonly Sample[] {
  const [, name, written = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
  if (name === undefined || value === undefined) return [];
  const labels = [...written.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [
    key,
    text.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
  ]);
  return [{ name, labels: Object.fromEntries(labels) as Record<string, string>, value: Number(value) }];
}
