import { expect, inject, test } from 'vitest';
import type { PublishedRecord } from '../../../src/core/records.ts';
import { openJournal } from '../../../src/sink/journal/open-journal.ts';
import { createKafkaSink } from '../../../src/sink/kafka/kafka-sink.ts';
import { checksumTables } from '../../../src/sink/postgres/checksum.ts';
import { createPostgresSink } from '../../../src/sink/postgres/postgres-sink.ts';
import { rebuildPostgres } from '../../../src/sink/rebuild.ts';
import { runCli } from '../../support/cli.ts';
import { rowsOf, runSql, temporaryDatabase, uniqueTopics } from '../../support/names.ts';
import { actionEvent, clipStats, streamStatus } from '../../support/records.ts';
import { kafkaSettings, writeConfig } from '../../support/runs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const never = new AbortController().signal;
const RUN = '11111111-1111-5111-8111-111111111111';

const RECORDS: readonly PublishedRecord[] = [
  streamStatus(),
  actionEvent(),
  clipStats(),
  clipStats({ clip_seq: 1, run_id: RUN }),
  actionEvent({ episode: 1, run_id: RUN, state: 'ended', end_reason: 'shutdown' }),
  actionEvent({ state: 'ended' }),
  actionEvent({ episode: 1, run_id: RUN, state: 'ended', end_reason: 'end_of_stream' }),
  clipStats({ clip_seq: 2, frames: 2 ** 40 }),
  streamStatus({
    n: 1,
    state: 'gap',
    gap: { from: '2026-11-22T10:00:00.000Z', to: '2026-11-22T11:00:00.000Z' },
  }),
  streamStatus({ n: 2, state: 'down', reason: 'exit' }),
];

/** A journal, topics and a database that have received the records. */
async function delivered(): Promise<{
  readonly journalDir: string;
  readonly kafka: Parameters<typeof createKafkaSink>[0];
  readonly url: string;
}> {
  const url = await temporaryDatabase();
  const kafka = { brokers: inject('kafkaBrokers'), instance: 'test', topics: uniqueTopics() };
  const journalDir = await temporaryDirectory();
  await using journal = await openJournal({ dir: journalDir, consumers: ['kafka', 'postgres'] });
  await using toKafka = createKafkaSink({ ...kafka, createTopics: { partitions: 2, replicationFactor: 1 } });
  await using toPostgres = createPostgresSink({ url, autoMigrate: true });
  for (const sink of [toKafka, toPostgres]) await sink.open(never);
  for (const record of RECORDS) await journal.append([record]);
  const records = await journal.read(0, RECORDS.length);
  for (const sink of [toKafka, toPostgres]) {
    await sink.write(records, never);
    // At least once: what was sent is sent again.
    await sink.write(records.slice(2), never);
    await journal.checkpoint(sink.name, RECORDS.length);
  }
  return { journalDir, kafka, url };
}

test('a database rebuilt from the journal or from Kafka has the same rows', async () => {
  const { journalDir, kafka, url } = await delivered();
  const [fromJournal, fromKafka] = [await temporaryDatabase(), await temporaryDatabase()];

  const first = await rebuildPostgres({
    source: { kind: 'journal', dir: journalDir },
    postgres: { url: fromJournal },
    signal: never,
  });
  const second = await rebuildPostgres({
    source: { kind: 'kafka', kafka },
    postgres: { url: fromKafka },
    signal: never,
  });

  const original = await checksumTables({ url });
  expect(original.map(({ rows }) => rows)).toEqual([2, 2, 3, 1, 1, 1]);
  expect(first).toEqual({
    records: RECORDS.length,
    skipped: 0,
    leftOut: 0,
    firstOffset: 0,
    tables: original,
  });
  expect(second.tables).toEqual(original);
});

test('a checksum tells rows apart, and neither their order nor the settings of the role', async () => {
  const { url } = await delivered();
  const before = await checksumTables({ url });

  await runSql(
    url,
    `CREATE TEMP TABLE t AS SELECT * FROM actionstream.action_events;
    DELETE FROM actionstream.action_events; INSERT INTO actionstream.action_events SELECT * FROM t ORDER BY label DESC`,
  );
  const { pathname } = new URL(url);
  await runSql(url, `ALTER DATABASE ${pathname.slice(1)} SET TimeZone = 'Asia/Tokyo'`);
  await runSql(url, `ALTER DATABASE ${pathname.slice(1)} SET DateStyle = 'German'`);
  expect(await checksumTables({ url })).toEqual(before);

  await runSql(url, 'UPDATE actionstream.clip_stats SET kept_steps = kept_steps + 1 WHERE clip_seq = 1');
  const changed = (await checksumTables({ url })).filter(
    (table, n) => table.checksum !== before[n]?.checksum,
  );
  expect(changed.map(({ table }) => table)).toEqual(['clip_stats']);
});

test('the command refuses a database with rows, and redeliver makes the next run send again', async () => {
  const { journalDir, kafka, url } = await delivered();
  const directory = await temporaryDirectory();
  const config = await writeConfig(directory, {
    streams: [{ id: 'cam-1', url: 'video.mp4' }],
    journal: { dir: journalDir },
    sinks: { kafka: kafkaSettings(kafka.brokers, uniqueTopics()), postgres: { url } },
  });

  const refused = await runCli(['events', 'rebuild', config, '--from', 'journal']);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('--force');

  const empty = await temporaryDatabase();
  const rebuilt = await runCli(['events', 'rebuild', config, '--from', 'journal', '--postgres', empty]);
  const checked = await runCli(['events', 'checksum', config]);
  expect([rebuilt.code, checked.code]).toEqual([0, 0]);
  expect(rebuilt.stdout).toBe(checked.stdout);
  expect(await rowsOf(empty, 'SELECT count(*)::int AS n FROM actionstream.clip_stats')).toEqual([{ n: 2 }]);

  const moved = await runCli(['events', 'redeliver', config, '--sink', 'postgres', '--from', '4']);
  expect(moved.stdout).toBe('postgres stood at offset 10; the next run sends 6 records from offset 4\n');
  expect((await runCli(['events', 'redeliver', config, '--sink', 'postgres'])).code).toBe(2);
});
