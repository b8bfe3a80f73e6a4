import { expect, inject, test } from 'vitest';
import type { PublishedRecord } from '../../../src/core/records.ts';
import { openJournal } from '../../../src/sink/journal/open-journal.ts';
import { createKafkaSink } from '../../../src/sink/kafka/kafka-sink.ts';
import { tailJournal } from '../../../src/sink/tail.ts';
import { verifyDelivery } from '../../../src/sink/verify.ts';
import { stored } from '../../contract/event-sink.contract.ts';
import { uniqueTopics } from '../../support/names.ts';
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
  for (const record of sent) await sink.write(stored([record]), never);
  return await verifyDelivery({ journalDir, kafka, signal: never });
}

test('what arrived once or more is consistent, also where only the last status is left', async () => {
  const result = await delivered([...RECORDS.slice(0, 4), RECORDS[0]!, RECORDS[5]!]);

  expect(result).toMatchObject({ consistent: true, differences: [] });
  expect(result.sinks['kafka']).toMatchObject({ duplicates: 1, undelivered: 0 });
});

test('missing, changed and reordered records are each told', async () => {
  const [first, clip, ended, second] = RECORDS;
  const result = await delivered([ended!, first!, clipStats({ frames: 1 }), RECORDS[5]!]);

  expect(result.consistent).toBe(false);
  expect(result.differences.map(({ problem }) => problem).sort()).toEqual(['missing', 'order', 'payload']);
  expect(result.differences.find(({ problem }) => problem === 'missing')?.subject).toBe(
    second?.type === 'action.event' ? `${second.payload.episode_id}:0` : '',
  );
  expect(clip?.type).toBe('clip.stats');
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
