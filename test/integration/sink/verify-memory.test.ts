import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, test } from 'vitest';
import { recordIdOf, type PublishedRecord } from '../../../src/core/records.ts';
import { openJournal } from '../../../src/sink/journal/open-journal.ts';
import { openJournalReader } from '../../../src/sink/journal/reader.ts';
import { createKafkaSink } from '../../../src/sink/kafka/kafka-sink.ts';
import type { KafkaTopics } from '../../../src/sink/kafka/options.ts';
import { createPostgresSink } from '../../../src/sink/postgres/postgres-sink.ts';
import type { VerifyResult } from '../../../src/sink/verify.ts';
import { runCli } from '../../support/cli.ts';
import { temporaryDatabase, uniqueTopics } from '../../support/names.ts';
import { actionEvent, clipStats } from '../../support/records.ts';
import { kafkaSettings, writeConfig } from '../../support/runs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const RECORDS = 200_000;
/** Delivered to both sinks; what is retained grows by 70 bytes a record. */
const DELIVERED = 50_000;
const BATCH = 1000;
/** Memory is what is measured: a slow machine may take its time. */
const PATIENCE = { timeout: 600_000 };
const REPORT_PEAK = new URL('../../fixtures/child/report-peak.mjs', import.meta.url);
/** The journal is 165 MB of JSON. */
const HEAP_MB = 64;

test(
  '200,000 records that Kafka has lost are compared and counted in a heap that cannot hold them',
  PATIENCE,
  async () => {
    const directory = await temporaryDirectory();
    const topics = uniqueTopics();
    const kafka = { brokers: inject('kafkaBrokers'), instance: 'test', topics };
    const dir = path.join(directory, 'journal');
    await fillJournal(dir);
    await deliverFirstBatch(dir, kafka);
    const config = await writeConfig(directory, {
      streams: [{ id: 'cam-0', url: 'video.mp4' }],
      journal: { dir },
      sinks: { kafka: kafkaSettings(kafka.brokers, topics) },
    });

    const { code, stdout, stderr } = await runCli(['events', 'verify', config, '--json'], {
      NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}`,
    });

    expect(code, stderr).toBe(1);
    const { journal, sinks, differences } = JSON.parse(stdout) as VerifyResult;
    expect(journal).toEqual({ firstOffset: 0, nextOffset: RECORDS, episodes: RECORDS / 10, lost: 0 });
    expect(sinks['kafka']).toMatchObject({ compared: RECORDS, differing: RECORDS - BATCH });
    // Of what is missing, the first thousand in the journal's order.
    expect(differences.length).toBe(1000);
    expect(differences[0]).toMatchObject({ problem: 'missing', subject: recordIdOf(recordsFrom(BATCH)[0]!) });
  },
);

test('no process of a verification of both sinks takes more than 200 MiB', PATIENCE, async () => {
  const directory = await temporaryDirectory();
  const topics = uniqueTopics();
  const url = await temporaryDatabase();
  const dir = path.join(directory, 'journal');
  await deliverToBoth(dir, { brokers: inject('kafkaBrokers'), topics, url });
  const config = await writeConfig(directory, {
    streams: [{ id: 'cam-0', url: 'video.mp4' }],
    journal: { dir },
    sinks: { kafka: kafkaSettings(inject('kafkaBrokers'), topics), postgres: { url } },
  });
  const peakFile = path.join(directory, 'peaks');

  const { code, stderr } = await runCli(['events', 'verify', config], {
    NODE_OPTIONS: `--import ${REPORT_PEAK.href}`,
    PEAK_FILE: peakFile,
  });

  expect(code, stderr).toBe(0);
  const peaksMiB = (await readFile(peakFile, 'utf8'))
    .trim()
    .split('\n')
    .map((kib) => Number(kib) / 1024);
  // The command and the process that compares.
  expect(peaksMiB.length).toBe(2);
  expect(Math.max(...peaksMiB)).toBeLessThan(200);
});

async function fillJournal(dir: string): Promise<void> {
  await using journal = await openJournal({ dir, consumers: ['kafka'], fsync: false });
  for (let first = 0; first < RECORDS; first += BATCH) await journal.append(recordsFrom(first));
  await journal.checkpoint('kafka', RECORDS);
}

async function deliverToBoth(
  dir: string,
  { brokers, topics, url }: { brokers: readonly string[]; topics: KafkaTopics; url: string },
): Promise<void> {
  const never = new AbortController().signal;
  await using journal = await openJournal({ dir, consumers: ['kafka', 'postgres'], fsync: false });
  await using kafka = createKafkaSink({
    ...{ brokers, instance: 'test', topics },
    createTopics: { partitions: 2, replicationFactor: 1 },
  });
  await using postgres = createPostgresSink({ url, autoMigrate: true });
  await kafka.open(never);
  await postgres.open(never);
  for (let first = 0; first < DELIVERED; first += BATCH) {
    await journal.append(recordsFrom(first));
    const batch = await journal.read(first, BATCH);
    await Promise.all([kafka.write(batch, never), postgres.write(batch, never)]);
  }
  await journal.checkpoint('kafka', DELIVERED);
  await journal.checkpoint('postgres', DELIVERED);
}

async function deliverFirstBatch(dir: string, kafka: Parameters<typeof createKafkaSink>[0]): Promise<void> {
  const never = new AbortController().signal;
  const reader = await openJournalReader(dir);
  await using sink = createKafkaSink({ ...kafka, createTopics: { partitions: 2, replicationFactor: 1 } });
  await sink.open(never);
  await sink.write(await reader.read(0, BATCH), never);
}

/** Every tenth one an event. */
function recordsFrom(first: number): readonly PublishedRecord[] {
  return Array.from({ length: BATCH }, (_, i) => {
    const at = first + i;
    const stream = `cam-${at % 4}`;
    if (at % 10 !== 0) return clipStats({ stream_id: stream, clip_seq: at });
    return actionEvent({ stream_id: stream, episode: at });
  });
}
