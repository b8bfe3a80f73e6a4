import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import kafkajs from 'kafkajs';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { PublishedRecord } from '../../../src/core/records.ts';
import type { EventSink } from '../../../src/sink/event-sink.ts';
import type { Journal } from '../../../src/sink/journal/types.ts';
import { toCloudEvent } from '../../../src/sink/kafka/cloud-event.ts';
import type { KafkaTopics } from '../../../src/sink/kafka/options.ts';
import { openJournal } from '../../../src/sink/journal/open-journal.ts';
import { createKafkaSink } from '../../../src/sink/kafka/kafka-sink.ts';
import { tailJournal } from '../../../src/sink/tail.ts';
import { verifyDelivery, type VerifyResult } from '../../../src/sink/verify.ts';
import { stored } from '../../contract/event-sink.contract.ts';
import { uniqueTopics, withKafkaAdmin } from '../../support/names.ts';
import { actionEvent, clipStats, streamStatus } from '../../support/records.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const never = new AbortController().signal;

const RECORDS: readonly PublishedRecord[] = [
  actionEvent({ episode: 0 }),
  clipStats(),
  actionEvent({ episode: 0, state: 'ended' }),
  actionEvent({ episode: 1 }),
  streamStatus(),
  streamStatus({ n: 1, state: 'down', reason: 'exit' }),
];

/** A journal with the records, and a broker that has received `sent` in that order. */
async function delivered(sent: readonly PublishedRecord[]): ReturnType<typeof verifyDelivery> {
  const journalDir = await temporaryDirectory();
  const kafka = { brokers: inject('kafkaBrokers'), instance: 'test', topics: uniqueTopics() };
  await using journal = await openJournal({ dir: journalDir, consumers: ['kafka'] });
  await journal.append(RECORDS);
  await journal.checkpoint('kafka', RECORDS.length);
  await using sink = createKafkaSink({ ...kafka, createTopics: { partitions: 2, replicationFactor: 1 } });
  await sink.open(never);
  const [{ recordedAtMs } = { recordedAtMs: 0 }] = await journal.read(0, 1);
  for (const record of sent) await sink.write([{ offset: 0, record, recordedAtMs }], never);
  return await verifyDelivery({ journalDir, kafka, signal: never });
}

test('what arrived once or more is consistent, also where only the last status is left', async () => {
  const result = await delivered([...RECORDS.slice(0, 4), RECORDS[0]!, RECORDS[5]!]);

  expect(result).toMatchObject({ consistent: true, differences: [] });
  expect(result.sinks['kafka']).toMatchObject({ duplicates: 1, undelivered: 0 });
});

test('missing, changed and reordered records are each reported', async () => {
  const [first, clip, ended, second] = RECORDS;
  const result = await delivered([ended!, first!, clipStats({ frames: 1 }), RECORDS[5]!]);

  expect(result.consistent).toBe(false);
  expect(result.differences.map(({ problem }) => problem).sort()).toEqual(['missing', 'order', 'payload']);
  expect(result.differences.find(({ problem }) => problem === 'missing')?.subject).toBe(
    second?.type === 'action.event' ? `${second.payload.episode_id}:0` : '',
  );
  expect(clip?.type).toBe('clip.stats');
});

/** How `spoil` changes each message, and what comes of it. */
const spoils: readonly (readonly [
  what: string,
  spoil: (message: Message) => readonly Message[],
  problem: string,
])[] = [
  ['a second message of another payload', (m) => [m, { ...m, value: '{"state":"falsified"}' }], 'payload'],
  ['a value that is no JSON', (m) => [{ ...m, value: '' }], 'payload'],
  ['another key', (m) => [{ ...m, key: 'somebody else' }], 'payload'],
  [
    'another header',
    (m) => [{ ...m, headers: { ...m.headers, ce_time: '2001-01-01T00:00:00.000Z' } }],
    'payload',
  ],
  ['another topic', (m) => [{ ...m, topic: m.topics['clip.stats'] }], 'topic'],
  ['an id that nobody knows', (m) => [m, { ...m, headers: { ...m.headers, ce_id: 'x' } }], 'unknown'],
  ['a dead letter of nothing', (m) => [{ ...m, topic: m.topics.deadLetter, value: '{}' }], 'dead_letter'],
];

interface Message {
  readonly topic: string;
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly topics: KafkaTopics;
}

test.each(spoils)('found in Kafka: %s', async (_, spoil, problem) => {
  const brokers = inject('kafkaBrokers');
  const kafka = { brokers, instance: 'test', topics: uniqueTopics() };
  const { topics } = kafka;
  const journalDir = await temporaryDirectory();
  await using journal = await openJournal({ dir: journalDir, consumers: ['kafka'] });
  await using sink = createKafkaSink({ ...kafka, createTopics: { partitions: 1, replicationFactor: 1 } });
  await sink.open(never);
  await journal.append([actionEvent()]);
  await journal.checkpoint('kafka', 1);
  const [message] = (await journal.read(0, 1)).map(toCloudEvent);
  if (!message) throw new Error('the journal is empty');

  await send(brokers, spoil({ ...message, topic: topics['action.event'], topics }));

  const { consistent, differences } = await verifyDelivery({ journalDir, kafka, signal: never });
  expect(consistent).toBe(false);
  expect(differences.map((difference) => difference.problem)).toContain(problem);
});

test('messages of others raise no alarm and are counted', async () => {
  const { kafka, verify, sink } = await deliveredAll();
  const pipeline = { instance: 'elsewhere', version: '0.0.0' };
  const others = [actionEvent({ episode: 5, pipeline }), actionEvent({ episode: 5, stream_id: 'cam-9' })];
  await sink.write(stored(others), never);
  await send(kafka.brokers, [
    { topic: kafka.topics['action.event'], key: 'a', value: 'no event', headers: {} },
  ]);

  expect(await verify()).toMatchObject({ consistent: true, sinks: { kafka: { foreign: 3 } } });
});

test('partitions that are added later move keys, and order holds within each partition', async () => {
  const { kafka, journal, verify, sink } = await deliveredAll();
  const streams = Array.from({ length: 8 }, (_, n) => `cam-${n}`);
  const batch = (sequence: number) =>
    streams.map((stream_id) => clipStats({ stream_id, clip_seq: sequence }));
  await deliver(journal, sink, batch(10));

  await withKafkaAdmin(kafka.brokers, (admin) =>
    admin.createPartitions({ topicPartitions: [{ topic: kafka.topics['clip.stats'], count: 7 }] }),
  );
  await using fresh = createKafkaSink(kafka);
  await fresh.open(never);
  for (const sequence of [11, 12]) await deliver(journal, fresh, batch(sequence));

  expect(await verify()).toMatchObject({ consistent: true, differences: [] });
});

test('what Kafka has removed before its log start has expired; what is gone without that is missing', async () => {
  const { kafka, journal, verify, sink } = await deliveredAll();
  await deliver(journal, sink, [clipStats({ clip_seq: 3 }), clipStats({ clip_seq: 4 })]);

  await withKafkaAdmin(kafka.brokers, async (admin) => {
    const topic = kafka.topics['clip.stats'];
    const ends = await admin.fetchTopicOffsets(topic);
    const partitions = ends
      .filter(({ high }) => high !== '0')
      .map(({ partition, high }) => ({ partition, offset: String(Number(high) - 1) }));
    await admin.deleteTopicRecords({ topic, partitions });
  });
  expect(await verify()).toMatchObject({ consistent: true, sinks: { kafka: { expired: 2 } } });

  await journal.append([clipStats({ clip_seq: 5 })]);
  await journal.checkpoint('kafka', journal.nextOffset);
  expect((await verify()).differences).toMatchObject([{ problem: 'missing' }]);
});

test('a journal whose last record is damaged is refused: nothing is said of what it cannot prove', async () => {
  const { journalDir, journal, verify } = await deliveredAll();
  await journal[Symbol.asyncDispose]();
  const [segment] = (await readdir(journalDir)).filter((name) => name.endsWith('.seg'));
  const file = path.join(journalDir, segment ?? '');
  const bytes = await readFile(file);
  bytes[bytes.length - 2] = 0;
  await writeFile(file, bytes);

  await expect(verify()).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
});

test('a sink that came later need not hold what is older', async () => {
  const kafka = { brokers: inject('kafkaBrokers'), instance: 'test', topics: uniqueTopics() };
  const journalDir = await temporaryDirectory();
  {
    await using before = await openJournal({ dir: journalDir, consumers: [] });
    await before.append([actionEvent(), clipStats()]);
  }
  await using journal = await openJournal({ dir: journalDir, consumers: ['kafka'] });
  await using sink = createKafkaSink({ ...kafka, createTopics: { partitions: 1, replicationFactor: 1 } });
  await sink.open(never);
  await deliver(journal, sink, [clipStats({ clip_seq: 1 })]);

  const result = await verifyDelivery({ journalDir, kafka, signal: never });
  expect(result).toMatchObject({ consistent: true, sinks: { kafka: { compared: 1, undelivered: 0 } } });
});

test('records that a sink has yet to receive are counted, not called lost', async () => {
  const journalDir = await temporaryDirectory();
  const kafka = { brokers: inject('kafkaBrokers'), instance: 'test', topics: uniqueTopics() };
  await using sink = createKafkaSink({ ...kafka, createTopics: { partitions: 1, replicationFactor: 1 } });
  await sink.open(never);
  await using journal = await openJournal({ dir: journalDir, consumers: ['kafka'] });
  await journal.append(RECORDS);

  const result = await verifyDelivery({ journalDir, kafka, signal: never });

  expect(result).toMatchObject({ consistent: false, differences: [] });
  expect(result.sinks['kafka']?.undelivered).toBe(RECORDS.length);
});

test('tail follows a journal that another part of the program writes', async () => {
  const dir = await temporaryDirectory();
  await using journal = await openJournal({ dir, consumers: [] });
  await journal.append(RECORDS);
  const stop = new AbortController();
  const seen: PublishedRecord[] = [];
  for await (const record of tailJournal(dir, { from: 'beginning', signal: stop.signal })) {
    seen.push(record);
    if (seen.length === 3) await journal.append([actionEvent({ episode: 9 })]);
    if (seen.length === 4) stop.abort();
  }

  expect(seen).toEqual([RECORDS[0], RECORDS[2], RECORDS[3], actionEvent({ episode: 9 })]);
});

interface DeliveredAll {
  readonly journalDir: string;
  readonly kafka: {
    readonly brokers: readonly string[];
    readonly instance: string;
    readonly topics: KafkaTopics;
  };
  readonly journal: Journal;
  readonly sink: EventSink;
  readonly verify: () => Promise<VerifyResult>;
}

/** A journal of one clip, which Kafka has received. */
async function deliveredAll(): Promise<DeliveredAll> {
  const kafka = { brokers: inject('kafkaBrokers'), instance: 'test', topics: uniqueTopics() };
  const journalDir = await temporaryDirectory();
  const journal = await openJournal({ dir: journalDir, consumers: ['kafka'] });
  const sink = createKafkaSink({ ...kafka, createTopics: { partitions: 1, replicationFactor: 1 } });
  onTestFinished(async () => {
    await sink[Symbol.asyncDispose]();
    await journal[Symbol.asyncDispose]();
  });
  await sink.open(never);
  await deliver(journal, sink, [clipStats()]);
  return {
    journalDir,
    kafka,
    journal,
    sink,
    verify: () => verifyDelivery({ journalDir, kafka, signal: never }),
  };
}

async function deliver(
  journal: Journal,
  sink: EventSink,
  records: readonly PublishedRecord[],
): Promise<void> {
  const { firstOffset } = await journal.append(records);
  await sink.write(await journal.read(firstOffset, records.length), never);
  await journal.checkpoint('kafka', journal.nextOffset);
}

/** As a stranger would, with a client of our own. */
async function send(
  brokers: readonly string[],
  messages: readonly Pick<Message, 'topic' | 'key' | 'value' | 'headers'>[],
): Promise<void> {
  const { Kafka, Partitioners, logLevel } = kafkajs;
  const client = new Kafka({ clientId: 'stranger', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (const { topic, key, value, headers } of messages)
    await producer.send({ topic, messages: [{ key, value, headers: { ...headers } }] });
  await producer.disconnect();
}
