import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { isClip, nextRecord } from '../support/runs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { describeCounts } from './count.ts';
import { notRun, type Trial } from './report.ts';
import { drain, EXIT_MS, stop, type NamedTrial, type TrialContext } from './run-control.ts';
import { createSite, light, type Site } from './site.ts';

/** Faults of the disk that holds the journal. */
export const DISK_TRIALS: readonly NamedTrial[] = [
  ...[8, 4].map((mib) => ({
    name: `a disk of ${mib} MiB is full, and deliveries make room`,
    run: (context: TrialContext) => fillAndThaw(context, mib),
  })),
  { name: 'SIGTERM on a full disk', run: stopOnFullDisk },
  { name: 'a read-only journal folder', run: readOnly },
  { name: 'the journal folder deleted', run: deleteJournal },
];

const NO_TMPFS = 'this user may not mount a tmpfs';
const FULL = 'the disk of the journal is full';

/** Nothing but delivered records leaves the disk: what filled it stays. */
async function fillAndThaw({ servers }: TrialContext, mib: number): Promise<Trial> {
  const promised =
    'a full disk is waited out: once the sink takes records, segments are freed and clips go on';
  const done = `Postgres frozen until a tmpfs of ${mib} MiB was full, thawed, then SIGTERM`;
  const disk = await mountTmpfs(mib);
  if (disk === undefined) return notRun({ promised, done }, NO_TMPFS);
  const site = await createSite(servers, { journal: { dir: path.join(disk, 'j') }, more: light(servers) });
  const run = site.start();
  await nextRecord(run, isClip, 2);
  servers.postgres.freeze();
  fill(disk);
  await run.said(FULL).finally(() => {
    servers.postgres.thaw();
  });
  await run.said('the journal has room again');
  await nextRecord(run, isClip, 5);
  const end = await stop(run, 'SIGTERM');
  const counts = await site.count();
  return {
    promised,
    done,
    counted: `exit ${end.code} after ${end.ms} ms; ${describeCounts(counts)}`,
    ok: end.code === 0 && end.ms < EXIT_MS && counts.faults.length === 0,
  };
}

async function stopOnFullDisk({ servers }: TrialContext): Promise<Trial> {
  const promised =
    'SIGTERM ends the program within 15 s on a full disk, and the next start delivers the rest';
  const done = 'a tmpfs of 4 MiB full, Postgres frozen, SIGTERM, thaw, another run on the full disk';
  const disk = await mountTmpfs(4);
  if (disk === undefined) return notRun({ promised, done }, NO_TMPFS);
  const site = await createSite(servers, { journal: { dir: path.join(disk, 'j') }, more: light(servers) });
  const run = site.start();
  await nextRecord(run, isClip, 2);
  servers.postgres.freeze();
  fill(disk);
  const end = await run
    .said(FULL)
    .then(() => stop(run, 'SIGTERM'))
    .finally(() => {
      servers.postgres.thaw();
    });
  const after = await drain(site);
  const counts = await site.count();
  return {
    promised,
    done,
    counted: `exit ${end.code} after ${end.ms} ms, then ${after.code}; ${describeCounts(counts)}`,
    ok: end.code === 0 && end.ms < EXIT_MS && after.code === 0 && counts.faults.length === 0,
  };
}

async function readOnly({ servers }: TrialContext): Promise<Trial> {
  const promised =
    'a journal that cannot be written stops the start with exit 1 and its name; then all goes on';
  const done = 'a run, the file system mounted read-only, a start, mounted for writing, another run';
  const disk = await mountTmpfs(8);
  if (disk === undefined) return notRun({ promised, done }, NO_TMPFS);
  const site = await createSite(servers, { journal: { dir: path.join(disk, 'j') }, more: light(servers) });
  const first = await drain(site);
  mount(['-o', 'remount,ro', disk]);
  const { code, stderr } = await site.start().done;
  mount(['-o', 'remount,rw', disk]);
  const after = await drain(site);
  const counts = await site.count();
  return {
    promised,
    done,
    counted: `exit ${first.code}, read-only ${code}, then ${after.code}; ${describeCounts(counts)}`,
    ok: code === 1 && stderr.includes('JOURNAL_UNWRITABLE') && after.code === 0 && counts.faults.length === 0,
  };
}

async function deleteJournal({ servers }: TrialContext): Promise<Trial> {
  const site = await createSite(servers, { more: light(servers) });
  const run = site.start();
  await nextRecord(run, isClip, 4);
  const begun = performance.now();
  await rename(site.journal, path.join(site.directory, 'gone'));
  const { code, stderr } = await run.done;
  const ms = Math.round(performance.now() - begun);
  const after = await drain(site);
  const counts = await freshJournal(site);
  return {
    promised:
      'a journal folder that disappears ends the run with exit 1 within 15 s; a new start makes a new one',
    done: 'the folder moved away during a run, then another run',
    counted: `exit ${code} after ${ms} ms, then ${after.code}; ${counts.text}`,
    ok:
      code === 1 &&
      ms < EXIT_MS &&
      stderr.includes('JOURNAL_UNWRITABLE') &&
      after.code === 0 &&
      counts.isWhole,
  };
}

/** Records of the lost journal may have reached a sink or none; those of the new one are in both. */
async function freshJournal(site: Site): Promise<{ readonly isWhole: boolean; readonly text: string }> {
  const { faults, ...counts } = await site.countJournal();
  const missing = faults.filter((fault) => !fault.includes('unknown'));
  return {
    isWhole: missing.length === 0,
    text: `of the new journal ${describeCounts({ ...counts, faults: missing })}`,
  };
}

/** A file system of its own; undefined where this user may not mount one. */
async function mountTmpfs(mib: number): Promise<string | undefined> {
  const directory = await temporaryDirectory();
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', directory]).status !== 0)
    return undefined;
  onTestFinished(() => {
    spawnSync('umount', ['-l', directory]);
  });
  return directory;
}

function mount(options: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', options, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${options.join(' ')}: ${stderr}`);
}

/** Takes the disk's room but for a little, which the run's own records fill. */
function fill(disk: string, leftBytes = 64 * 1024): void {
  const { bavail, bsize } = statfsSync(disk);
  const file = path.join(disk, 'filler');
  rmSync(file, { force: true });
  const handle = openSync(file, 'w');
  writeSync(handle, Buffer.alloc(Math.max(0, bavail * bsize - leftBytes), 1));
  closeSync(handle);
}
