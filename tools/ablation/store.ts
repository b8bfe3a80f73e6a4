import { appendFile, readFile } from 'node:fs/promises';
import type { ComparedWindow, ScoredRun } from '../../src/lab/evaluation/agreement.ts';

/** The windows of one video: what the published network says with every step, and what each case says. */
export interface ScoredVideo {
  readonly video: string;
  readonly blocks: readonly string[];
  readonly dense: readonly ScoredRun[];
  /** By the key of a case. */
  readonly cases: Readonly<Record<string, readonly ScoredRun[]>>;
}

/** What was scored so far, by video; a line that an interrupted run cut short does not count. */
export async function readScored(path: string): Promise<Map<string, ScoredVideo>> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.split('\n').slice(0, -1);
  return new Map(lines.map((line) => JSON.parse(line) as ScoredVideo).map((one) => [one.video, one]));
}

/** Of two lines of one video, the later one counts. */
export async function appendScored(path: string, scored: ScoredVideo): Promise<void> {
  await appendFile(path, `${JSON.stringify(scored)}\n`);
}

/** @throws RangeError where the case was not scored on the video */
export function comparedWindows({ video, blocks, dense, cases }: ScoredVideo, key: string): ComparedWindow[] {
  const runs = cases[key];
  if (!runs) throw new RangeError(`${video}: ${key} was not scored`);
  return blocks.map((block, window) => ({ block, dense: dense[window]!, sampled: runs[window]! }));
}

/** Six digits tell all that figures need. */
export function compact(run: ScoredRun): ScoredRun {
  const short = (values: ArrayLike<number>): number[] =>
    Array.from(values, (value) => Number(value.toPrecision(6)));
  return { ...run, scores: short(run.scores), logits: short(run.logits) };
}
