import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { openJournal } from '../../../src/sink/journal/open-journal.ts';
import { openJournalReader } from '../../../src/sink/journal/reader.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const FIXTURES = join(import.meta.dirname, '..', '..', 'fixtures', 'child');

function startHolder(dir: string): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', join(FIXTURES, 'hold-journal.ts'), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test('a journal is held by one process, and a dead holder is succeeded without losing what it acknowledged', async () => {
  const dir = await temporaryDirectory();
  const holder = startHolder(dir);
  let acknowledged = -1;
  const lines = createInterface({ input: holder.stdout! });
  for await (const line of lines) {
    acknowledged = Number(line);
    if (acknowledged >= 20) break;
  }

  await expect(openJournal({ dir, consumers: ['kafka'] })).rejects.toMatchObject({
    code: 'JOURNAL_LOCKED',
    message: expect.stringContaining(`process ${holder.pid ?? 0} `) as string,
  });
  const reader = await openJournalReader(dir);
  expect((await reader.bounds()).nextOffset).toBeGreaterThan(20);
  holder.kill('SIGKILL');
  await once(holder, 'exit');

  await using journal = await openJournal({ dir, consumers: ['kafka'] });
  expect(journal.nextOffset).toBeGreaterThan(acknowledged);
});

test('two openings in one process are refused too, and a released lock is free', async () => {
  const dir = await temporaryDirectory();
  {
    await using first = await openJournal({ dir, consumers: [] });
    expect(first.nextOffset).toBe(0);
    await expect(openJournal({ dir, consumers: [] })).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
  }
  await using second = await openJournal({ dir, consumers: [] });
  expect(second.nextOffset).toBe(0);
});

test('a full disk delays appends and loses none', async () => {
  const root = await temporaryDirectory();
  const mountPoint = join(root, 'disk');
  await mkdir(mountPoint);
  // A private mount of 300 kB: a real full disk that no other process can see.
  const script =
    'mount -t tmpfs -o size=300k tmpfs "$1" && mkdir "$1/journal" && exec "$2" --import tsx "$3" "$1/journal"';
  const fill = join(FIXTURES, 'fill-disk.ts');
  const result = spawnSync(
    'unshare',
    ['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', mountPoint, process.execPath, fill],
    { encoding: 'utf8', timeout: 110_000 },
  );

  expect(result.stderr, 'this test needs user namespaces (unshare --user) for a disk of its own').toBe('');
  const outcome = JSON.parse(result.stdout) as {
    readonly diskFullRetries: number;
    readonly appended: number;
    readonly read: number;
    readonly messages: readonly string[];
  };
  expect(outcome.diskFullRetries).toBeGreaterThan(0);
  expect(outcome.read).toBe(outcome.appended);
  expect(outcome.messages.join()).toContain('full');
});

test('a full disk is outlasted: delivery makes room, clips go on, and a restart on it delivers', async () => {
  const root = await temporaryDirectory();
  const mountPoint = join(root, 'disk');
  await mkdir(mountPoint);
  const fixture = join(FIXTURES, 'outlast-full-disk.ts');
  const script = [
    'mount -t tmpfs -o size=1m tmpfs "$1" && mkdir "$1/journal"',
    '"$2" --import tsx "$3" fill "$1/journal" > "$4/fill.json"',
    'exec "$2" --import tsx "$3" restart "$1/journal" > "$4/restart.json"',
  ].join('\n');
  const { stderr } = spawnSync(
    'unshare',
    [
      ...['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh'],
      ...[mountPoint, process.execPath, fixture, root],
    ],
    { encoding: 'utf8', timeout: 140_000 },
  );

  expect(stderr.replace('Killed\n', '')).toBe('');
  const filled = JSON.parse(await readFile(join(root, 'fill.json'), 'utf8')) as { acknowledged: number };
  const restarted = JSON.parse(await readFile(join(root, 'restart.json'), 'utf8')) as object;
  expect(restarted).toMatchObject({
    nextOffset: filled.acknowledged,
    saved: { next_offset: filled.acknowledged },
    after: filled.acknowledged + 1,
  });
}, 150_000);

test('a directory that cannot be written is a clear error', async () => {
  const dir = await temporaryDirectory();
  const file = join(dir, 'file');
  await writeFile(file, '');

  await expect(openJournal({ dir: join(file, 'journal'), consumers: [] })).rejects.toMatchObject({
    code: 'JOURNAL_UNWRITABLE',
    message: expect.stringContaining('journal.dir') as string,
  });
});
