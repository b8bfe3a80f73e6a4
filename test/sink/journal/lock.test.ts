import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { openJournal } from '../../../src/sink/journal/open-journal.ts';
import type { Journal } from '../../../src/sink/journal/types.ts';
import { appendEvents, segmentsOf } from '../../support/journals.ts';
import { actionEvent } from '../../support/records.ts';
import { fileDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';

const FIXTURES = join(import.meta.dirname, '..', '..', 'fixtures', 'child');

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly namespace: string;
  readonly startedAt: string;
  readonly token: string;
}

async function holderHere(changes: Partial<Holder> = {}): Promise<Holder> {
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const namespace = await readlink('/proc/self/ns/pid');
  const here = { pid: process.pid, host: hostname(), namespace, startedAt: `${boot}:1`, token: 'other' };
  return { ...here, ...changes };
}

test('the lock of an earlier process with the same pid is taken over at once', async () => {
  const dir = await temporaryDirectory();
  await writeFile(join(dir, 'lock'), JSON.stringify(await holderHere()));

  await using journal = await openJournal({ dir, consumers: [] });
  expect(journal.nextOffset).toBe(0);
});

test('a holder in another process namespace is not taken for dead', async () => {
  const dir = await temporaryDirectory();
  const args = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const holder = spawn(
    'unshare',
    [...args, process.execPath, '--import', 'tsx', join(FIXTURES, 'hold-journal.ts'), dir],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(async () => {
    if (holder.exitCode !== null) return;
    const exited = once(holder, 'exit');
    holder.kill('SIGKILL');
    await exited;
  });
  await once(createInterface({ input: holder.stdout }), 'line');

  await expect(openJournal({ dir, consumers: ['kafka'] })).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
});

// These tests wait, for heartbeats or for silence: side by side.
const directory = fileDirectory();
const ownDirectory = (): Promise<string> => mkdtemp(join(directory(), 'journal-'));

test.concurrent('a holder that cannot be looked up is succeeded after its silence, not before', async () => {
  const dir = await ownDirectory();
  const path = join(dir, 'lock');
  await writeFile(path, JSON.stringify(await holderHere({ namespace: 'pid:[1]' })));
  await expect(openJournal({ dir, consumers: [] })).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });

  // Its clock is an hour behind, but it lives: it touches the file.
  const hourAgo = (): Date => new Date(Date.now() - 3_600_000);
  await utimes(path, hourAgo(), hourAgo());
  const touching = setInterval(() => void utimes(path, hourAgo(), hourAgo()), 500);
  await expect(openJournal({ dir, consumers: [] })).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
  clearInterval(touching);

  await utimes(path, hourAgo(), hourAgo());
  await using journal = await openJournal({ dir, consumers: [] });
  expect(journal.nextOffset).toBe(0);
});

/** All at once: of a folder that is removed file by file, a heartbeat may see any part gone. */
const takeAway = (dir: string): Promise<void> => rename(dir, `${dir}.gone`);

type Harm = (dir: string, journal: Journal) => Promise<unknown>;

const HARMS: readonly (readonly [name: string, code: string, message: string, harm: Harm])[] = [
  [
    'its lock is taken over',
    'JOURNAL_LOCKED',
    'process 4711 on elsewhere',
    async (dir) => {
      const holder = await holderHere({ pid: 4711, host: 'elsewhere' });
      await writeFile(join(dir, 'aside'), JSON.stringify(holder));
      await rename(join(dir, 'aside'), join(dir, 'lock'));
    },
  ],
  ['its lock is removed', 'JOURNAL_UNWRITABLE', 'lost its lock file', (dir) => rm(join(dir, 'lock'))],
  ['its directory is deleted', 'JOURNAL_UNWRITABLE', 'was deleted', takeAway],
  [
    'its directory is deleted before a sink saves its place',
    'JOURNAL_UNWRITABLE',
    'was deleted',
    async (dir, journal) => {
      await takeAway(dir);
      await expect(journal.checkpoint('kafka', 1)).rejects.toThrow(/ENOENT|was deleted/);
    },
  ],
  [
    'its directory is replaced',
    'JOURNAL_UNWRITABLE',
    'was replaced',
    async (dir) => {
      await rename(dir, `${dir}.old`);
      await mkdir(dir);
    },
  ],
  [
    'the file being written is deleted',
    'JOURNAL_UNWRITABLE',
    'was deleted or replaced',
    async (dir) => rm((await segmentsOf(dir))[0] ?? ''),
  ],
];

for (const [name, code, message, harm] of HARMS) {
  test.concurrent(`a journal fails when ${name}, and writes nothing any more`, async () => {
    const dir = await ownDirectory();
    await using journal = await openJournal({ dir, consumers: ['kafka'] });
    await appendEvents(journal, 2);

    await harm(dir, journal);
    await failureOf(journal);

    const failure = { code, message: expect.stringContaining(message) as string };
    expect(journal.failed.reason).toMatchObject(failure);
    await expect(journal.append([actionEvent()])).rejects.toMatchObject(failure);
    await expect(journal.checkpoint('kafka', 2)).rejects.toMatchObject(failure);
    const before = await namesIn(dir);
    await journal[Symbol.asyncDispose]();
    expect(await namesIn(dir)).toEqual(before);
  });
}

async function namesIn(dir: string): Promise<readonly string[]> {
  const names = await readdir(dir).catch(() => []);
  return names.filter((name) => name !== 'lock');
}

async function failureOf({ failed }: Journal): Promise<void> {
  if (!failed.aborted) await once(failed, 'abort');
}
