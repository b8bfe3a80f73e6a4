import { copyFile, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { openJournal } from '../../../src/sink/journal/open-journal.ts';
import { openJournalReader } from '../../../src/sink/journal/reader.ts';
import {
  appendEvents,
  collectingLogger,
  flipBit,
  entriesOf,
  readAll,
  segmentsOf,
  type Line,
} from '../../support/journals.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const RECORDS = 12;
const OPTIONS = { consumers: ['kafka'], segmentBytes: 6000, fsync: true };

/** A closed journal of several segments, one record an entry. */
async function journalOfSegments(): Promise<{ dir: string; segments: readonly string[] }> {
  const dir = await temporaryDirectory();
  {
    await using journal = await openJournal({ dir, ...OPTIONS });
    await appendEvents(journal, RECORDS);
  }
  const segments = await segmentsOf(dir);
  expect(segments.length).toBeGreaterThan(2);
  return { dir, segments };
}

test('a damaged entry of a finished segment costs its own records only, and is named', async () => {
  const { dir, segments } = await journalOfSegments();
  const [path = ''] = segments;
  const entries = await entriesOf(path);
  const [, second = 0, third = 0] = entries;

  // Magic, length, checksum, count, offset, record.
  for (const place of [0, 4, 5, 9, 12, 16, 200]) {
    const bytes = await readFile(path);
    await flipBit(path, second + place);
    await using journal = await openJournal({ dir, ...OPTIONS });
    const { records, damages } = await readAll(journal);

    expect(damages).toEqual([
      {
        ...{ path, position: second, endPosition: third, firstOffset: 1, endOffset: 2 },
        why: expect.any(String) as string,
      },
    ]);
    expect(records.map(({ offset }) => offset)).toEqual([0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    await writeFile(path, bytes);
  }
});

test('a finished segment that is cut short, or gone, costs what it lacks', async () => {
  const { dir, segments } = await journalOfSegments();
  const [first = '', second = '', third = ''] = segments;
  const [, secondEntry = 0] = await entriesOf(first);
  await truncate(first, secondEntry + 40);
  const missing = { from: Number(basename(second, '.seg')), to: Number(basename(third, '.seg')) };
  await rm(second);

  await using journal = await openJournal({ dir, ...OPTIONS });
  const { records, damages } = await readAll(journal);

  expect(damages).toMatchObject([
    { path: first, position: secondEntry, firstOffset: 1, endOffset: missing.to },
  ]);
  expect(missing.from).toBeLessThan(missing.to);
  const offsets = Array.from({ length: RECORDS }, (_, offset) => offset);
  expect(records.map(({ offset }) => offset)).toEqual(
    offsets.filter((offset) => offset === 0 || offset >= missing.to),
  );
});

test('a finished segment that is away for a moment is read again when it is back', async () => {
  const { dir, segments } = await journalOfSegments();
  const [first = ''] = segments;
  await using journal = await openJournal({ dir, ...OPTIONS });
  await rename(first, `${first}.away`);
  await expect(journal.read(0, 100)).rejects.toMatchObject({ code: 'ENOENT' });
  await rename(`${first}.away`, first);

  expect((await readAll(journal)).records).toHaveLength(RECORDS);
});

test('a finished segment that stays unreadable counts as damaged in the end', async () => {
  const { dir, segments } = await journalOfSegments();
  const [first = ''] = segments;
  await using journal = await openJournal({ dir, ...OPTIONS, readPatienceMs: 0 });
  await rm(first);
  await mkdir(first);

  const { damages, records } = await readAll(journal);
  expect(damages).toMatchObject([{ path: first, firstOffset: 0, endOffset: records[0]?.offset }]);
  expect(damages[0]?.why).toContain('EISDIR');
});

test('damage in the file being written ends the journal: its state is no longer known', async () => {
  const dir = await temporaryDirectory();
  await using journal = await openJournal({ dir, consumers: ['kafka'] });
  await appendEvents(journal, 3);
  await flipBit((await segmentsOf(dir))[0] ?? '', 200);

  await expect(journal.read(0, 10)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
  expect(journal.failed.aborted).toBe(true);
  expect(journal.failed.reason).toMatchObject({ code: 'JOURNAL_CORRUPT' });
  await expect(journal.append([])).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
});

test('a damaged last entry is refused, by a run and by a reader alike, where its records are known to have been safe', async () => {
  const closed = await temporaryDirectory();
  {
    await using journal = await openJournal({ dir: closed, consumers: ['kafka'] });
    await appendEvents(journal, 3);
  }
  await expectRefused(closed);

  // After a kill there is no snapshot, but a checkpoint that was saved behind the entry.
  const killed = await temporaryDirectory();
  await using running = await openJournal({ dir: join(killed, 'source'), consumers: ['kafka', 'postgres'] });
  await appendEvents(running, 3);
  await running.checkpoint('kafka', 1);
  const dir = await copyOf(join(killed, 'source'), join(killed, 'copy'));
  await expectRefused(dir);
});

async function expectRefused(dir: string): Promise<void> {
  const [path = ''] = await segmentsOf(dir);
  const entries = await entriesOf(path);
  await flipBit(path, (entries.at(-1) ?? 0) + 60);
  const refusal = {
    code: 'JOURNAL_CORRUPT',
    message: expect.stringContaining(`actionstream journal salvage ${dir}`) as string,
  };
  await expect(openJournal({ dir, consumers: ['kafka'] })).rejects.toMatchObject(refusal);
  await expect((await openJournalReader(dir)).bounds()).rejects.toMatchObject(refusal);
}

async function copyOf(source: string, dir: string): Promise<string> {
  await mkdir(join(dir, 'checkpoints'), { recursive: true });
  for (const path of await segmentsOf(source)) await copyFile(path, join(dir, basename(path)));
  for (const name of ['journal.json', 'checkpoints/kafka.json'])
    await copyFile(join(source, name), join(dir, name));
  return dir;
}

test('after a power loss a journal without fsync opens, says what is missing and never repeats an offset', async () => {
  const root = await temporaryDirectory();
  const source = join(root, 'source');
  await using running = await openJournal({ dir: source, consumers: ['kafka', 'postgres'], fsync: false });
  await appendEvents(running, 10);
  await running.checkpoint('kafka', 10);
  const dir = await copyOf(source, join(root, 'copy'));
  const [path = ''] = await segmentsOf(dir);
  const sixth = (await entriesOf(path))[6] ?? 0;
  await truncate(path, sixth + 10);

  const lines: Line[] = [];
  const logger = collectingLogger(lines);
  // Even where fsync is on from now on: what counts is how the records were written.
  await using journal = await openJournal({ dir, consumers: ['kafka', 'postgres'], fsync: true, logger });
  await appendEvents(journal, 1, 10);

  expect(journal.nextOffset).toBe(11);
  expect(lines).toContainEqual({
    level: 'error',
    fields: { file: path, first_offset: 6, records: 4 },
    message: expect.stringContaining('without fsync') as string,
  });
  const { records, damages } = await readAll(journal);
  expect(records.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 10]);
  expect(damages).toMatchObject([{ path, firstOffset: 6, endOffset: 10 }]);
  expect(journal.checkpointOf('kafka')).toBe(10);
});
