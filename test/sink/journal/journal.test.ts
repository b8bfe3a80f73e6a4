import { copyFile, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PublishedRecord } from '../../../src/core/records.ts';
import { openJournalReader } from '../../../src/sink/journal/reader.ts';
import { actionEvent, clipStats, streamStatus } from '../../support/records.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { collectingLogger, openForBoth, passAll, type Line } from '../../support/journals.ts';

const NEVER = new AbortController().signal;

async function segments(dir: string): Promise<readonly string[]> {
  return (await readdir(dir)).filter((name) => name.endsWith('.seg')).sort();
}

test('records come back as they went in, in order, with offsets that grow by one', async () => {
  const dir = await temporaryDirectory();
  const records = [actionEvent(), clipStats(), streamStatus(), actionEvent({ label: 'naïve „ß“ 🧱' })];

  await using journal = await openForBoth(dir);
  const appended = await Promise.all(records.map((record) => journal.append([record])));
  const read = await journal.read(0, 100);

  expect(appended.map(({ firstOffset }) => firstOffset)).toEqual([0, 1, 2, 3]);
  expect(read.map(({ record }) => record)).toEqual(records);
  expect(read.map(({ offset }) => offset)).toEqual([0, 1, 2, 3]);
});

test('a journal opened again goes on where the last one stopped', async () => {
  const dir = await temporaryDirectory();
  {
    await using journal = await openForBoth(dir, { segmentBytes: 2000 });
    for (let episode = 0; episode < 20; episode++) await journal.append([actionEvent({ episode })]);
    await journal.checkpoint('kafka', 7);
  }

  await using journal = await openForBoth(dir, { segmentBytes: 2000 });
  const { firstOffset } = await journal.append([actionEvent({ episode: 20 })]);

  expect(firstOffset).toBe(20);
  expect(journal.checkpointOf('kafka')).toBe(7);
  expect(journal.checkpointOf('postgres')).toBe(0);
  const seen: number[] = [];
  for (let from = 0; from < journal.nextOffset; from = (seen.at(-1) ?? 0) + 1) {
    seen.push(...(await journal.read(from, 3)).map(({ offset }) => offset));
  }
  expect(seen).toEqual(Array.from({ length: 21 }, (_, offset) => offset));
});

test('a write cut short at any byte loses only what was never acknowledged', async () => {
  const source = await temporaryDirectory();
  {
    await using journal = await openForBoth(source);
    await journal.append([actionEvent({ episode: 0 })]);
    await journal.append([actionEvent({ episode: 1 })]);
  }
  const [name = ''] = await segments(source);
  const whole = await readFile(join(source, name));
  const secondEntry = whole.readUInt32LE(4);

  for (let length = secondEntry; length < whole.length; length += length < secondEntry + 40 ? 1 : 17) {
    const dir = join(source, `cut-${length}`);
    await mkdir(dir);
    await copyFile(join(source, name), join(dir, name));
    await truncate(join(dir, name), length);
    const lines: Line[] = [];
    await using journal = await openForBoth(dir, { logger: collectingLogger(lines), fsync: false });
    expect((await journal.read(0, 10)).map(({ offset }) => offset)).toEqual([0]);
    const warnings = lines.filter(({ level }) => level !== 'info');
    expect(warnings).toHaveLength(length === secondEntry ? 0 : 1);
    expect((await journal.append([actionEvent({ episode: 2 })])).firstOffset).toBe(1);
    expect((await journal.read(1, 10)).map(({ record }) => record)).toEqual([actionEvent({ episode: 2 })]);
  }
});

test('damage before the last write is an error that names file and byte', async () => {
  const dir = await temporaryDirectory();
  {
    await using journal = await openForBoth(dir);
    for (let episode = 0; episode < 3; episode++) await journal.append([actionEvent({ episode })]);
  }
  const path = join(dir, (await segments(dir))[0] ?? '');
  const bytes = await readFile(path);
  const secondEntry = bytes.readUInt32LE(4);

  for (const position of [secondEntry, secondEntry + 5, secondEntry + 9, secondEntry + 200]) {
    const damaged = Buffer.from(bytes);
    damaged[position] = damaged[position]! ^ 0x10;
    await writeFile(path, damaged);
    await expect(openForBoth(dir)).rejects.toMatchObject({
      code: 'JOURNAL_CORRUPT',
      message: expect.stringContaining(`${path} at byte ${secondEntry}`) as string,
    });
  }
  await writeFile(path, bytes);
  await using journal = await openForBoth(dir);
  expect(journal.nextOffset).toBe(3);
});

test('delivered segments stay within the limit for comparison, and go by age where asked', async () => {
  const keeping = await temporaryDirectory();
  const ageing = await temporaryDirectory();
  await using kept = await openForBoth(keeping, { maxBytes: 20_000, segmentBytes: 3000, fsync: false });
  await using aged = await openForBoth(ageing, { segmentBytes: 3000, retainMs: 0, fsync: false });
  for (let episode = 0; episode < 100; episode++) {
    for (const journal of [kept, aged]) {
      await journal.append([actionEvent({ episode })]);
      await passAll(journal);
    }
  }

  expect(kept.stats().bytes).toBeGreaterThan(10_000);
  expect(kept.stats().bytes).toBeLessThanOrEqual(20_000);
  expect(aged.stats().bytes).toBeLessThanOrEqual(3000);
  expect(kept.stats().undeliveredBytes).toBe(0);
});

test('nothing is deleted that one of the consumers still needs', async () => {
  const dir = await temporaryDirectory();
  await using journal = await openForBoth(dir, { segmentBytes: 3000, retainMs: 0, fsync: false });
  for (let episode = 0; episode < 30; episode++) await journal.append([actionEvent({ episode })]);
  await journal.checkpoint('kafka', 30);

  expect(journal.stats().firstOffset).toBe(0);
  expect(journal.stats().consumers).toMatchObject({ kafka: { records: 0 }, postgres: { records: 30 } });
  expect(journal.stats().oldestUndeliveredAtMs).toBe((await journal.read(0, 1))[0]?.recordedAtMs);
});

test('episodes without an end survive a restart and the deletion of their segment', async () => {
  const dir = await temporaryDirectory();
  const options = { segmentBytes: 3000, retainMs: 0, fsync: false };
  {
    await using journal = await openForBoth(dir, options);
    await journal.append([actionEvent({ episode: 0 }), actionEvent({ episode: 1 })]);
    await journal.append([
      actionEvent({ episode: 0, state: 'updated' }),
      actionEvent({ episode: 1, state: 'ended' }),
    ]);
    for (let clip = 0; clip < 40; clip++) {
      await journal.append([clipStats({ clip_seq: clip })]);
      await passAll(journal);
    }
    expect(journal.stats().firstOffset).toBeGreaterThan(3);
  }

  await using journal = await openForBoth(dir, options);
  expect(journal.openEpisodes()).toEqual([actionEvent({ episode: 0, state: 'updated' }).payload]);
});

test('waitFor resolves at the append, at the abort and at the close', async () => {
  const dir = await temporaryDirectory();
  const journal = await openForBoth(dir);
  const interrupt = new AbortController();
  const waits = Promise.all([
    journal.waitFor(0, NEVER),
    journal.waitFor(1, interrupt.signal),
    journal.waitFor(1, NEVER),
  ]);

  await journal.append([actionEvent()]);
  interrupt.abort();
  await journal[Symbol.asyncDispose]();

  expect(await waits).toEqual([true, false, false]);
  await expect(journal.append([actionEvent()])).rejects.toMatchObject({ code: 'ABORTED' });
});

test('a reader follows a journal that is being written, across segments', async () => {
  const dir = await temporaryDirectory();
  await using journal = await openForBoth(dir, { segmentBytes: 3000, fsync: false });
  await journal.append([actionEvent()]);
  const reader = await openJournalReader(dir);
  const seen: PublishedRecord[] = (await reader.read(0, 100)).map(({ record }) => record);

  for (let episode = 1; episode < 20; episode++) {
    await journal.append([actionEvent({ episode })]);
    seen.push(...(await reader.read(seen.length, 100)).map(({ record }) => record));
  }

  expect(seen).toEqual(Array.from({ length: 20 }, (_, episode) => actionEvent({ episode })));
  expect(await reader.bounds()).toEqual({ firstOffset: 0, nextOffset: 20 });
  await expect(openJournalReader(join(dir, 'none'))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
});
