import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { forgetConsumer, resetCheckpoint } from '../../../src/sink/journal/offline.ts';
import { openJournal } from '../../../src/sink/journal/open-journal.ts';
import { appendEvents, collectingLogger, type Line } from '../../support/journals.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const BOTH = ['kafka', 'postgres'];

test('a sink that is named for the first time begins at the end, says so, and keeps that place', async () => {
  const dir = await temporaryDirectory();
  const lines: Line[] = [];
  {
    await using journal = await openJournal({ dir, consumers: ['kafka'] });
    expect(journal.checkpointOf('kafka')).toBe(0);
    await appendEvents(journal, 3);
  }
  {
    await using journal = await openJournal({ dir, consumers: BOTH, logger: collectingLogger(lines) });
    expect(journal.checkpointOf('postgres')).toBe(3);
    expect(journal.checkpointOf('kafka')).toBe(0);
    await appendEvents(journal, 2, 3);
  }

  await using journal = await openJournal({ dir, consumers: BOTH });
  expect(journal.checkpointOf('postgres')).toBe(3);
  const said = lines.filter(({ fields }) => fields['sink'] === 'postgres');
  expect(said).toEqual([
    {
      level: 'info',
      fields: { sink: 'postgres', from_offset: 3, records: 0 },
      message: expect.stringContaining('events redeliver') as string,
    },
  ]);
});

test('in a journal of an older version, a sink without a checkpoint begins at the oldest record', async () => {
  const dir = await temporaryDirectory();
  {
    await using journal = await openJournal({ dir, consumers: ['kafka'] });
    await appendEvents(journal, 3);
  }
  // What an older version wrote: no marker, and no checkpoint before the first delivery.
  await rm(join(dir, 'journal.json'));
  await rm(join(dir, 'checkpoints'), { recursive: true });

  await using journal = await openJournal({ dir, consumers: ['kafka'] });
  expect(journal.checkpointOf('kafka')).toBe(0);
});

test('a sink left out for a while keeps its backlog, and the start says how much waits', async () => {
  const dir = await temporaryDirectory();
  const lines: Line[] = [];
  const options = { dir, segmentBytes: 2000, retainMs: 0, fsync: false };
  {
    await using journal = await openJournal({ ...options, consumers: BOTH });
    await appendEvents(journal, 10);
    await journal.checkpoint('kafka', 2);
    await journal.checkpoint('postgres', 10);
  }
  {
    await using journal = await openJournal({
      ...options,
      consumers: ['postgres'],
      logger: collectingLogger(lines),
    });
    await appendEvents(journal, 10, 10);
    await journal.checkpoint('postgres', 20);
    expect(journal.stats()).toMatchObject({ idleRecords: { kafka: 18 }, undeliveredBytes: 0 });
  }

  await using journal = await openJournal({ ...options, consumers: BOTH });
  expect(journal.checkpointOf('kafka')).toBe(2);
  expect((await journal.read(2, 1))[0]?.offset).toBe(2);
  expect(lines).toContainEqual({
    level: 'warn',
    fields: { sink: 'kafka', records: 8 },
    message: expect.stringContaining('journal forget') as string,
  });
});

test('where room is needed, the oldest records of a sink left out are given up, counted and logged as an error', async () => {
  const dir = await temporaryDirectory();
  const lines: Line[] = [];
  const options = { dir, maxBytes: 40_000, fsync: false };
  {
    await using journal = await openJournal({ ...options, consumers: BOTH });
    await appendEvents(journal, 10);
    await journal.checkpoint('kafka', 2);
    await journal.checkpoint('postgres', 10);
  }
  let givenUp = 0;
  {
    await using journal = await openJournal({
      ...options,
      consumers: ['postgres'],
      logger: collectingLogger(lines),
    });
    for (let episode = 10; episode < 60; episode++) {
      await appendEvents(journal, 1, episode);
      await journal.checkpoint('postgres', journal.nextOffset);
    }
    givenUp = journal.stats().givenUpRecords['kafka'] ?? 0;
  }

  await using journal = await openJournal({ ...options, consumers: BOTH });
  expect(givenUp).toBeGreaterThan(0);
  expect(journal.checkpointOf('kafka')).toBe(2 + givenUp);
  expect((await journal.read(2 + givenUp, 1))[0]?.offset).toBe(2 + givenUp);
  const logged = lines.filter(({ level, fields }) => level === 'error' && fields['sink'] === 'kafka');
  expect(logged.reduce((sum, { fields }) => sum + Number(fields['records']), 0)).toBe(givenUp);
});

test('a backlog can be given up on purpose, and a checkpoint set back, but not while the journal is in use', async () => {
  const dir = await temporaryDirectory();
  {
    await using journal = await openJournal({ dir, consumers: BOTH });
    await appendEvents(journal, 5);
    await journal.checkpoint('kafka', 4);
    await expect(forgetConsumer(dir, 'kafka')).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
    await expect(resetCheckpoint(dir, 'kafka', 0)).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
  }

  expect(await resetCheckpoint(dir, 'kafka', 1)).toEqual({ before: 4, nextOffset: 1, records: 4 });
  expect(await resetCheckpoint(dir, 'ndjson', 5)).toEqual({ nextOffset: 5, records: 0 });
  await expect(resetCheckpoint(dir, 'kafka', 6)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('from offset 0 to 4') as string,
  });
  expect(await forgetConsumer(dir, 'postgres')).toBe(5);
  await expect(forgetConsumer(dir, 'postgres')).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('kafka, ndjson') as string,
  });
  await expect(resetCheckpoint(join(dir, 'none'), 'kafka', 0)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
  });

  await using journal = await openJournal({ dir, consumers: BOTH });
  expect(journal.checkpointOf('kafka')).toBe(1);
  expect(journal.checkpointOf('postgres')).toBe(5);
});
