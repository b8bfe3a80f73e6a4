import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { ActionstreamError } from '../../src/core/errors.ts';
import { createDelivery } from '../../src/sink/delivery.ts';
import type { EventSink, StoredRecord } from '../../src/sink/event-sink.ts';
import { openJournal } from '../../src/sink/journal/open-journal.ts';
import {
  appendEvents,
  collectingLogger,
  flipBit,
  entriesOf,
  segmentsOf,
  type Line,
} from '../support/journals.ts';
import { actionEvent } from '../support/records.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Keeps what it accepts in memory; `answer` decides about each write. */
class ArraySink implements EventSink {
  readonly name: string;
  readonly offsets: number[] = [];
  inFlight = 0;
  maxInFlight = 0;
  writes = 0;
  readonly #answer: (write: number, signal: AbortSignal) => Promise<void>;

  constructor(
    name: string,
    answer: (write: number, signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
  ) {
    this.name = name;
    this.#answer = answer;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  async write(batch: readonly StoredRecord[], signal: AbortSignal): Promise<void> {
    this.inFlight++;
    this.maxInFlight = Math.max(this.maxInFlight, this.inFlight);
    try {
      await this.#answer(this.writes++, signal);
      this.offsets.push(...batch.map(({ offset }) => offset));
    } finally {
      this.inFlight--;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

const FAST = { firstMs: 1, maxMs: 5 };
/** For what arrives, on any machine. */
const PATIENT_MS = 60_000;

function unreachable(): ActionstreamError {
  return new ActionstreamError('KAFKA_UNREACHABLE', 'no answer');
}

test('records arrive in order, one batch at a time, and the checkpoint follows', async () => {
  await using journal = await openJournal({ dir: await temporaryDirectory(), consumers: ['array'] });
  const sink = new ArraySink('array');
  const delivery = createDelivery({ journal, sink, batchRecords: 7 });
  const stop = new AbortController();
  const running = delivery.run(stop.signal);

  await Promise.all(Array.from({ length: 50 }, (_, episode) => journal.append([actionEvent({ episode })])));
  expect(await delivery.drain(PATIENT_MS)).toBe(true);
  stop.abort();
  await running;

  expect(sink.offsets).toEqual(Array.from({ length: 50 }, (_, offset) => offset));
  expect(sink.maxInFlight).toBe(1);
  expect(journal.checkpointOf('array')).toBe(50);
  expect(delivery.stats()).toMatchObject({ delivered: 50, retries: 0 });
});

test('a sink that is down delays and never loses, and the other one goes on', async () => {
  await using journal = await openJournal({ dir: await temporaryDirectory(), consumers: ['bad', 'good'] });
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (_: object, message: string) => warnings.push(message) };
  const bad = new ArraySink('bad', (write) =>
    write < 20 ? Promise.reject(unreachable()) : Promise.resolve(),
  );
  const good = new ArraySink('good');
  const slow = createDelivery({ journal, sink: bad, backoff: FAST, logger });
  const quick = createDelivery({ journal, sink: good });
  const stop = new AbortController();
  const running = Promise.all([slow.run(stop.signal), quick.run(stop.signal)]);

  await journal.append([actionEvent(), actionEvent({ episode: 1 })]);
  expect(await quick.drain(PATIENT_MS)).toBe(true);
  expect(await slow.drain(PATIENT_MS)).toBe(true);
  stop.abort();
  await running;

  expect(bad.offsets).toEqual([0, 1]);
  expect(good.offsets).toEqual([0, 1]);
  expect(slow.stats()).toMatchObject({ retries: 20, delivered: 2 });
  expect(slow.stats().lastError).toBeUndefined();
  expect(warnings).toHaveLength(1);
});

test('an abort gives the batch in flight its grace, then takes it back', async () => {
  await using journal = await openJournal({ dir: await temporaryDirectory(), consumers: ['stuck', 'slow'] });
  const begun = deferred();
  const stuck = new ArraySink('stuck', (_, signal) => {
    begun.resolve();
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(new ActionstreamError('ABORTED', 'interrupted'));
      });
    });
  });
  const release = deferred();
  const slowBegun = deferred();
  const slow = new ArraySink('slow', () => {
    slowBegun.resolve();
    return release.promise;
  });
  const stop = new AbortController();
  const running = Promise.all([
    createDelivery({ journal, sink: stuck, graceMs: 20 }).run(stop.signal),
    createDelivery({ journal, sink: slow, graceMs: PATIENT_MS }).run(stop.signal),
  ]);
  await journal.append([actionEvent()]);
  await Promise.all([begun.promise, slowBegun.promise]);

  stop.abort();
  release.resolve();
  await running;

  expect(journal.checkpointOf('stuck')).toBe(0);
  expect(journal.checkpointOf('slow')).toBe(1);
});

test('drain tells when a sink does not answer in time', async () => {
  await using journal = await openJournal({ dir: await temporaryDirectory(), consumers: ['down'] });
  const sink = new ArraySink('down', () => Promise.reject(unreachable()));
  const delivery = createDelivery({ journal, sink, backoff: FAST });
  const stop = new AbortController();
  const running = delivery.run(stop.signal);
  await journal.append([actionEvent()]);

  await expect.poll(() => delivery.stats().retries).toBeGreaterThan(0);
  expect(await delivery.drain(50)).toBe(false);
  stop.abort();
  await running;
  expect(delivery.stats().lastError).toBe('no answer');
});

test('after a restart delivery goes on at the checkpoint', async () => {
  const dir = await temporaryDirectory();
  const sink = new ArraySink('array');
  for (let round = 0; round < 3; round++) {
    await using journal = await openJournal({ dir, consumers: ['array'] });
    await journal.append([actionEvent({ episode: round })]);
    const delivery = createDelivery({ journal, sink });
    const stop = new AbortController();
    const running = delivery.run(stop.signal);
    expect(await delivery.drain(PATIENT_MS)).toBe(true);
    stop.abort();
    await running;
  }

  expect(sink.offsets).toEqual([0, 1, 2]);
});

test('damaged records are skipped, counted and named; those around them are delivered', async () => {
  const dir = await temporaryDirectory();
  const options = { dir, consumers: ['array'], segmentBytes: 4000, fsync: false };
  {
    await using journal = await openJournal(options);
    await appendEvents(journal, 8);
  }
  const [path = ''] = await segmentsOf(dir);
  const [, second = 0, third = 0] = await entriesOf(path);
  await flipBit(path, second + 100);

  await using journal = await openJournal(options);
  const lines: Line[] = [];
  const sink = new ArraySink('array');
  const delivery = createDelivery({ journal, sink, logger: collectingLogger(lines) });
  const stop = new AbortController();
  const running = delivery.run(stop.signal);
  expect(await delivery.drain(PATIENT_MS)).toBe(true);
  stop.abort();
  await running;

  expect(sink.offsets).toEqual([0, 2, 3, 4, 5, 6, 7]);
  expect(journal.stats().unreadableRecords).toEqual({ array: 1 });
  expect(lines.filter(({ level }) => level === 'error')).toEqual([
    {
      level: 'error',
      fields: { sink: 'array', file: path, bytes: [second, third], offsets: [1, 2] },
      message: expect.stringContaining('journal check') as string,
    },
  ]);
});

test('a read that fails is repeated, reported once, and ends no delivery', async () => {
  const dir = await temporaryDirectory();
  await using journal = await openJournal({ dir, consumers: ['array'] });
  await appendEvents(journal, 1);
  const [path = ''] = await segmentsOf(dir);
  const away = join(await temporaryDirectory(), 'away');
  await rename(path, away);

  const lines: Line[] = [];
  const failed = deferred();
  const logger = collectingLogger(lines, () => {
    failed.resolve();
  });
  const sink = new ArraySink('array');
  const delivery = createDelivery({ journal, sink, logger, backoff: FAST });
  const stop = new AbortController();
  const running = delivery.run(stop.signal);
  await failed.promise;
  await rename(away, path);
  expect(await delivery.drain(PATIENT_MS)).toBe(true);
  stop.abort();
  await running;

  expect(sink.offsets).toEqual([0]);
  expect(lines.map(({ level, message }) => [level, message])).toEqual([
    ['warn', 'the journal cannot be read'],
    ['info', 'the journal can be read again'],
  ]);
});

test('a journal that fails ends its deliveries, also one that waits for its sink', async () => {
  const dir = await temporaryDirectory();
  await using journal = await openJournal({ dir, consumers: ['down', 'idle'] });
  const down = new ArraySink('down', () => Promise.reject(unreachable()));
  const never = new AbortController().signal;
  const running = Promise.all([
    createDelivery({ journal, sink: down }).run(never),
    createDelivery({ journal, sink: new ArraySink('idle') }).run(never),
  ]);
  await appendEvents(journal, 1);
  await rename(dir, join(await temporaryDirectory(), 'away'));

  await running;
  expect(journal.failed.aborted).toBe(true);
  expect(down.offsets).toEqual([]);
});

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
