import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A line of the report. */
export interface Trial {
  readonly promised: string;
  readonly done: string;
  /** On both sides, by readers that are not the program's own. */
  readonly counted: string;
  readonly ok: boolean;
  /** What this machine lacks for the trial; it counts neither as kept nor as open. */
  readonly notRun?: string;
}

/** A trial for which this machine lacks something. */
export function notRun(trial: Pick<Trial, 'promised' | 'done'>, why: string): Trial {
  return { ...trial, counted: '', ok: false, notRun: why };
}

/** Writes `.cache/chaos/report.md` and `report.json`; the folder is ignored by git. */
export function writeReport(
  directory: string,
  {
    seed,
    suite,
    trials,
  }: { readonly seed: number; readonly suite: string; readonly trials: readonly Trial[] },
): void {
  mkdirSync(directory, { recursive: true });
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const lines = trials.map(
    ({ promised, done, counted, ok, notRun }) =>
      `| ${notRun === undefined ? (ok ? 'kept' : '**OPEN**') : 'not run'} | ` +
      `${[promised, done, notRun ?? counted].map(cell).join(' | ')} |`,
  );
  const notRun = trials.filter((trial) => trial.notRun !== undefined).length;
  const open = trials.filter(({ ok }) => !ok).length - notRun;
  const text = [
    `# Chaos report: ${suite}, seed ${seed}`,
    '',
    `${trials.length} trials, ${open} open, ${notRun} not run. Counted with kcat, psql, ps and a parser of the journal that shares no code with the program.`,
    '',
    '| state | promised | done | counted |',
    '|---|---|---|---|',
    ...lines,
    '',
  ].join('\n');
  writeFileSync(path.join(directory, 'report.md'), text);
  writeFileSync(
    path.join(directory, 'report.json'),
    `${JSON.stringify({ suite, seed, open, trials }, null, 2)}\n`,
  );
}
