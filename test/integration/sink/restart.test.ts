import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { PublishedRecord } from '../../../src/core/records.ts';
import { createDelivery } from '../../../src/sink/delivery.ts';
import { openJournal } from '../../../src/sink/journal/open-journal.ts';
import { createKafkaSink } from '../../../src/sink/kafka/kafka-sink.ts';
import { createPostgresSink } from '../../../src/sink/postgres/postgres-sink.ts';
import { verifyDelivery } from '../../../src/sink/verify.ts';
import { startLocalKafka } from '../../../tools/local/kafka.ts';
import { startLocalPostgres } from '../../../tools/local/postgres.ts';
import { rowsOf, uniqueTopics } from '../../support/names.ts';
import { actionEvent, clipStats, streamStatus } from '../../support/records.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const CACHE_DIR = join(import.meta.dirname, '..', '..', '..', '.cache');
const PATIENT = { timeout: 120_000 };
const FAST = { firstMs: 50, maxMs: 500 };

// Servers of our own: the shared ones must not be killed under the other tests.
test('freezing, killing and restarting both services during a delivery loses nothing and keeps the order', async () => {
  const [kafka, postgres] = await Promise.all([
    startLocalKafka({ cacheDir: CACHE_DIR }),
    startLocalPostgres(),
  ]);
  onTestFinished(async () => {
    await Promise.all([kafka.stop(), postgres.stop()]);
  });
  const dir = await temporaryDirectory();
  const topics = uniqueTopics();
  const connection = { brokers: kafka.brokers, instance: 'test', topics, requestTimeoutMs: 2000 };
  await using journal = await openJournal({ dir, consumers: ['kafka', 'postgres'] });
  await using kafkaSink = createKafkaSink({
    ...connection,
    createTopics: { partitions: 3, replicationFactor: 1 },
  });
  const database = { url: postgres.url, connectTimeoutMs: 2000, statementTimeoutMs: 2000 };
  await using postgresSink = createPostgresSink({ ...database, autoMigrate: true });
  const deliveries = [kafkaSink, postgresSink].map((sink) =>
    createDelivery({ journal, sink, batchRecords: 50, backoff: FAST }),
  );
  const stop = new AbortController();
  const running = Promise.all(deliveries.map((delivery) => delivery.run(stop.signal)));

  const faults = injectFaults();
  const written = await writeUntil(faults);

  for (const delivery of deliveries) expect(await delivery.drain(60_000)).toBe(true);
  stop.abort();
  await running;

  const { signal } = new AbortController();
  const result = await verifyDelivery({ journalDir: dir, kafka: connection, postgres: database, signal });
  expect(result.differences).toEqual([]);
  expect(result).toMatchObject({ consistent: true, journal: { nextOffset: written } });
  expect(result.sinks['kafka']).toMatchObject({ undelivered: 0, deadLetters: 0 });
  // Enough to mean something: all events and clips were compared on both sides.
  expect(written).toBeGreaterThan(1000);
  expect(result.sinks['kafka']?.compared).toBeGreaterThan(written * 0.9);
  expect(result.sinks['postgres']?.compared).toBeGreaterThan(written * 0.6);

  // The proof proves something: it sees what is missing.
  await rowsOf(
    postgres.url,
    `DELETE FROM actionstream.action_events WHERE stream_id = 'cam-1' AND state = 'ended'`,
  );
  const damaged = await verifyDelivery({ journalDir: dir, postgres: database, signal });
  expect(damaged.consistent).toBe(false);
  expect(damaged.differences[0]).toMatchObject({ sink: 'postgres', problem: 'missing' });

  async function injectFaults(): Promise<void> {
    await delivered();
    kafka.freeze();
    postgres.freeze();
    await expect.poll(() => Math.min(...retriesOf()), PATIENT).toBeGreaterThan(0);
    kafka.thaw();
    postgres.thaw();
    await delivered();
    const before = retriesOf();
    await Promise.all([kafka.kill(), postgres.kill()]);
    await expect.poll(() => retriesOf().every((count, n) => count > (before[n] ?? 0)), PATIENT).toBe(true);
    await Promise.all([kafka.restart(), postgres.restart()]);
    await delivered();
    await expect.poll(() => journal.nextOffset, PATIENT).toBeGreaterThan(1000);
  }

  function retriesOf(): readonly number[] {
    return deliveries.map((delivery) => delivery.stats().retries);
  }

  /** Resolves when both sinks hold all that is written by now. */
  async function delivered(): Promise<void> {
    const end = journal.nextOffset;
    for (const sink of ['kafka', 'postgres'])
      await expect.poll(() => journal.checkpointOf(sink), PATIENT).toBeGreaterThanOrEqual(end);
  }

  /** A few records every few milliseconds on four streams until the faults are over. */
  async function writeUntil(end: Promise<void>): Promise<number> {
    const over = new AbortController();
    const ended = end.then(() => {
      over.abort();
    });
    for (let round = 0; !over.signal.aborted; round++) {
      const records = ['cam-1', 'cam-2', 'cam-3', 'cam-4'].flatMap((stream) => roundOf(stream, round));
      await journal.append(records);
      await delay(25);
    }
    await ended;
    return journal.nextOffset;
  }
}, 400_000);

function roundOf(stream: string, round: number): readonly PublishedRecord[] {
  const episode = Math.floor(round / 3);
  const state = (['started', 'updated', 'ended'] as const)[round % 3] ?? 'started';
  return [
    actionEvent({ stream_id: stream, episode, state }),
    clipStats({ stream_id: stream, clip_seq: round }),
    ...(round % 10 === 0 ? [streamStatus({ stream_id: stream, n: round })] : []),
  ];
}
