import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isClip, nextRecord } from '../support/runs.ts';
import { describeCounts } from './count.ts';
import { notRun, type Trial } from './report.ts';
import { drain, EXIT_MS, stop, type NamedTrial, type TrialContext } from './run-control.ts';
import { createSite, light } from './site.ts';

/** The machine's clock set by hours while streams run, with libfaketime. */
export const CLOCK_TRIALS: readonly NamedTrial[] = ['-1h', '+1h', '-26h', '+26h'].map((step) => ({
  name: `the clock of the machine set by ${step}`,
  run: (context) => setClock(context, step),
}));

async function setClock({ servers }: TrialContext, step: string): Promise<Trial> {
  const promised = 'a step of the machine clock is named in the log, and no record is lost or sent twice';
  const done = `the clock set by ${step} during a run, SIGTERM, a run with the right clock`;
  const library = findFaketime();
  if (library === undefined) return notRun({ promised, done }, NO_FAKETIME);
  const site = await createSite(servers, { more: light(servers) });
  const clock = path.join(site.directory, 'clock');
  writeFileSync(clock, '+0');
  const run = site.start({
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  });
  await nextRecord(run, isClip, 4);
  writeFileSync(clock, step);
  await run.said('machine_clock_set');
  await nextRecord(run, isClip, 10);
  const end = await stop(run, 'SIGTERM');
  const after = await drain(site);
  const counts = await site.count();
  return {
    promised,
    done,
    counted: `exit ${end.code} after ${end.ms} ms, then ${after.code}; ${describeCounts(counts)}`,
    ok:
      end.code === 0 &&
      end.ms < EXIT_MS &&
      after.code === 0 &&
      counts.duplicates === 0 &&
      counts.faults.length === 0,
  };
}

export const NO_FAKETIME = 'libfaketime is not installed (Debian: faketime)';

export function findFaketime(): string | undefined {
  const folders = ['/usr/lib', '/usr/local/lib'].filter((folder) => existsSync(folder));
  return folders
    .flatMap((folder) => [folder, ...readdirSync(folder).map((name) => path.join(folder, name))])
    .map((folder) => path.join(folder, 'faketime', 'libfaketime.so.1'))
    .find((file) => existsSync(file));
}
