import { readdir } from 'node:fs/promises';
import { usageBelow } from '../../src/lab/bench/processes.ts';

/** What the program takes of the machine at one moment. */
export interface Sample {
  readonly atS: number;
  readonly mainMebibytes: number;
  readonly engineMebibytes: number;
  /** Open files of the main process. */
  readonly descriptors: number;
  /** Processes below it: decoders with their guards, engines. */
  readonly children: number;
  readonly journalMebibytes: number;
  readonly clips: number;
}

/** `name{labels}` and value, as the program serves them. */
export type Metrics = ReadonlyMap<string, number>;

/** A connection for each: an idle one may be closed by the server while a request is on its way. */
export async function scrape(url: string): Promise<Metrics> {
  const response = await fetch(url, { headers: { connection: 'close' } });
  const text = await response.text();
  const rows = Array.from(text.matchAll(/^([a-z_]+(?:\{.*\})?) (\S+)$/gm));
  return new Map(rows.map(([, name = '', value]) => [name, Number(value)]));
}

export async function sampleOf(pid: number, metrics: Metrics): Promise<Sample> {
  let children = 0;
  const usage = usageBelow(pid, (command, isRoot) => {
    if (isRoot) return 'main';
    children += 1;
    return command.includes('entry.js') ? 'engine' : 'other';
  });
  const mebibytes = (part: string): number => (usage.get(part)?.bytes ?? 0) / 2 ** 20;
  return {
    atS: performance.now() / 1000,
    mainMebibytes: mebibytes('main'),
    engineMebibytes: mebibytes('engine'),
    descriptors: (await readdir(`/proc/${pid}/fd`)).length,
    children,
    journalMebibytes: (metrics.get('actionstream_journal_bytes') ?? 0) / 2 ** 20,
    clips: sumOf(metrics, 'actionstream_clips_total'),
  };
}

/** Over all labels. */
export function sumOf(metrics: Metrics, name: string): number {
  return [...metrics].reduce((sum, [key, value]) => (key.split('{', 1)[0] === name ? sum + value : sum), 0);
}
