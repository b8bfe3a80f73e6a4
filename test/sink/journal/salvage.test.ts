import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inspectJournal } from '../../../src/sink/journal/inspect.ts';
import { openJournal } from '../../../src/sink/journal/open-journal.ts';
import { salvageJournal } from '../../../src/sink/journal/salvage.ts';
import { appendEvents, flipBit, entriesOf, readAll, segmentsOf } from '../../support/journals.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const OPTIONS = { consumers: ['kafka', 'postgres'], segmentBytes: 6000 };

async function closedJournal(records: number): Promise<string> {
  const dir = await temporaryDirectory();
  await using journal = await openJournal({ dir, ...OPTIONS });
  await appendEvents(journal, records);
  await journal.checkpoint('kafka', 3);
  return dir;
}

test('a whole journal is found to be whole, and salvage changes nothing', async () => {
  const dir = await closedJournal(12);
  const before = await Promise.all((await segmentsOf(dir)).map((path) => readFile(path)));

  expect(await inspectJournal(dir)).toMatchObject({
    ...{ firstOffset: 0, nextOffset: 12, readableRecords: 12, damages: [], refusesStart: false, fsync: true },
    segments: before.length,
    sinks: {
      kafka: { nextOffset: 3, waiting: 9, unreadable: 0 },
      postgres: { nextOffset: 0, waiting: 12, unreadable: 0 },
    },
  });
  expect(await salvageJournal(dir)).toEqual([]);
  expect(await Promise.all((await segmentsOf(dir)).map((path) => readFile(path)))).toEqual(before);
});

test('damage anywhere is named, and salvage keeps every other record and the damaged files', async () => {
  // Entry 1 of a finished file, the first entry of another, entries in the file
  // being written: its middle and its end.
  const dir = await closedJournal(14);
  const segments = await segmentsOf(dir);
  const [first = '', second = ''] = segments;
  const last = segments.at(-1) ?? '';
  const lastEntries = await entriesOf(last);
  expect(lastEntries.length).toBeGreaterThan(2);
  const secondBase = Number(second.slice(-24, -4));
  const lastBase = Number(last.slice(-24, -4));
  const lost = [1, secondBase, lastBase + 1, 13];
  await flipBit(first, ((await entriesOf(first))[1] ?? 0) + 50);
  await flipBit(second, 50);
  await flipBit(last, (lastEntries[1] ?? 0) + 50);
  await flipBit(last, (lastEntries.at(-1) ?? 0) + 50);
  const damaged = await Promise.all([first, second, last].map((path) => readFile(path)));

  const report = await inspectJournal(dir);
  expect(report).toMatchObject({ refusesStart: true, nextOffset: 14, readableRecords: 14 - lost.length });
  expect(report.damages.map(({ firstOffset, endOffset }) => [firstOffset, endOffset])).toEqual(
    lost.map((offset) => [offset, offset + 1]),
  );
  expect(report.sinks['postgres']).toMatchObject({ waiting: 14, unreadable: 4 });
  await expect(openJournal({ dir, ...OPTIONS })).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });

  const salvaged = await salvageJournal(dir);
  expect(salvaged.map(({ lostRecords }) => lostRecords)).toEqual([1, 1, 2]);
  expect(await Promise.all(salvaged.map(({ quarantined }) => readFile(quarantined)))).toEqual(damaged);
  expect((await readdir(dir)).filter((name) => name.endsWith('.salvaged'))).toEqual([]);

  await using journal = await openJournal({ dir, ...OPTIONS });
  await appendEvents(journal, 1, 14);
  const { records, damages } = await readAll(journal);
  const kept = Array.from({ length: 15 }, (_, offset) => offset).filter((offset) => !lost.includes(offset));
  expect(records.map(({ offset }) => offset)).toEqual(kept);
  expect(damages.map(({ firstOffset, endOffset }) => [firstOffset, endOffset])).toEqual(
    lost.map((offset) => [offset, offset + 1]),
  );
  await expect(salvageJournal(dir)).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
  expect(await inspectJournal(dir)).toMatchObject({ refusesStart: false });
});

test('a write cut short at the end is no damage', async () => {
  const dir = await closedJournal(3);
  const path = (await segmentsOf(dir)).at(-1) ?? '';
  await appendFile(path, (await readFile(path)).subarray(0, 100));

  expect(await inspectJournal(dir)).toMatchObject({ damages: [], refusesStart: false, nextOffset: 3 });
  expect(await salvageJournal(dir)).toEqual([]);
});

test('a folder that is no journal is refused and left as it is', async () => {
  const dir = await temporaryDirectory();
  await expect(inspectJournal(join(dir, 'none'))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  await expect(salvageJournal(join(dir, 'none'))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  expect(await readdir(dir)).toEqual([]);
});
