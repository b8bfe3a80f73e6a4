import { setMaxListeners } from 'node:events';
import { expect, test } from 'vitest';
import type { Journal } from '../../../src/sink/journal/types.ts';
import { collectingLogger, openForBoth, passAll, type Line } from '../../support/journals.ts';
import { actionEvent, clipStats } from '../../support/records.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('when undelivered records fill the journal, statistics are refused and events wait', async () => {
  const dir = await temporaryDirectory();
  await using journal = await openForBoth(dir, { maxBytes: 40_000, segmentBytes: 4000, fsync: false });
  let episode = 0;
  let waiting: Promise<unknown> | undefined;
  while (!waiting) {
    const append = journal.append([actionEvent({ episode: episode++ })]);
    const result = await Promise.race([append, untilStalled(journal)]);
    if (result === 'stalled') waiting = append;
  }

  const stats = await journal.append([clipStats(), clipStats({ clip_seq: 1 })]);
  expect(stats).toMatchObject({ shed: 2 });
  expect(journal.stats()).toMatchObject({ shedRecords: 2, waitingAppends: 1 });
  expect(journal.stats().bytes).toBeLessThanOrEqual(40_000);

  await passAll(journal);
  await waiting;
  expect(journal.stats()).toMatchObject({ waitingAppends: 0 });
  expect((await journal.read(journal.nextOffset - 1, 1))[0]?.record).toEqual(
    actionEvent({ episode: episode - 1 }),
  );
  expect((await journal.append([clipStats()])).shed).toBe(0);
});

test('shedding and stalls are said once as they begin and once as they end, and counted', async () => {
  const dir = await temporaryDirectory();
  const lines: Line[] = [];
  const logger = collectingLogger(lines);
  await using journal = await openForBoth(dir, {
    maxBytes: 40_000,
    segmentBytes: 4000,
    fsync: false,
    logger,
  });
  let waiting: Promise<unknown> | undefined;
  for (let episode = 0; !waiting; episode++) {
    const append = journal.append([actionEvent({ episode }), clipStats({ clip_seq: episode })]);
    if ((await Promise.race([append, untilStalled(journal)])) === 'stalled') waiting = append;
  }
  expect(journal.stats()).toMatchObject({ stalls: 1, waitingAppends: 1 });
  expect(journal.stats().shedRecords).toBeGreaterThan(1);

  await passAll(journal);
  await waiting;
  await journal.append([clipStats()]);

  expect(journal.stats()).toMatchObject({ stalls: 1, waitingAppends: 0 });
  expect(lines.map(({ level, message }) => `${level}: ${message}`)).toEqual([
    'warn: the journal is nearly full: clip statistics are refused until the sinks catch up',
    'warn: the journal is full of undelivered records; events wait for the sinks',
    'info: the journal has room again',
    'info: clip statistics are accepted again',
  ]);
});

test('an append larger than the journal is refused, and those behind it are written', async () => {
  const dir = await temporaryDirectory();
  await using journal = await openForBoth(dir, { maxBytes: 8000, fsync: false });
  const large = Array.from({ length: 10 }, (_, episode) => actionEvent({ episode }));
  const appends = [journal.append(large), journal.append([actionEvent()])];

  await expect(appends[0]).rejects.toMatchObject({
    code: 'JOURNAL_UNWRITABLE',
    message: expect.stringContaining('journal.max_size') as string,
  });
  expect(await appends[1]).toMatchObject({ firstOffset: 0 });
  expect(journal.failed.aborted).toBe(false);
});

async function untilStalled(journal: Journal): Promise<'stalled'> {
  while (journal.stats().waitingAppends === 0) await new Promise((resolve) => setImmediate(resolve));
  return 'stalled';
}

test('an append that waits for room can be interrupted', async () => {
  const dir = await temporaryDirectory();
  await using journal = await openForBoth(dir, { maxBytes: 8000, fsync: false });
  const interrupt = new AbortController();
  setMaxListeners(0, interrupt.signal);
  const appends = Array.from({ length: 12 }, (_, episode) =>
    journal.append([actionEvent({ episode })], interrupt.signal),
  );
  const outcomes = Promise.allSettled(appends);
  await untilStalled(journal);

  interrupt.abort();
  const states = (await outcomes).map(({ status }) => status);

  expect(states).toContain('fulfilled');
  expect(states).toContain('rejected');
  const written = states.filter((state) => state === 'fulfilled').length;
  expect(journal.nextOffset).toBe(written);
});

test('a stop writes its last records beyond the limit, and no more than an eighth or 64 KiB', async () => {
  const dir = await temporaryDirectory();
  await using journal = await openForBoth(dir, { maxBytes: 8000, fsync: false });
  const interrupt = new AbortController();
  setMaxListeners(0, interrupt.signal);
  const appends = Array.from({ length: 200 }, (_, episode) =>
    journal.append([actionEvent({ episode })], interrupt.signal),
  );
  const outcomes = Promise.allSettled(appends);
  await untilStalled(journal);
  const before = journal.nextOffset;

  journal.allowOverrun();
  await expect.poll(() => journal.nextOffset).toBeGreaterThan(before);
  await untilStalled(journal);
  interrupt.abort();
  await outcomes;

  expect(journal.stats().bytes).toBeGreaterThan(8000);
  expect(journal.stats().bytes).toBeLessThanOrEqual(8000 + 64 * 1024);
});
