import path from 'node:path';
import kafkajs from 'kafkajs';
import { expect, inject, test } from 'vitest';
import type { DeadLetter } from '../../src/sink/dead-letters.ts';
import { openJournal } from '../../src/sink/journal/open-journal.ts';
import { createKafkaSink } from '../../src/sink/kafka/kafka-sink.ts';
import { createPostgresSink } from '../../src/sink/postgres/postgres-sink.ts';
import type { EventSink, StoredRecord } from '../../src/sink/event-sink.ts';
import { runCli } from '../support/cli.ts';
import { rowsOf, runSql, temporaryDatabase, uniqueTopics, withKafkaAdmin } from '../support/names.ts';
import { actionEvent } from '../support/records.ts';
import { kafkaSettings, writeConfig } from '../support/runs.ts';
import { kcat } from '../support/strangers.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const never = new AbortController().signal;

test('dead letters are listed, shown, and sent again once the sinks can take them', async () => {
  const directory = await temporaryDirectory();
  const dir = path.join(directory, 'journal');
  const topics = uniqueTopics();
  const url = await temporaryDatabase();
  const kafka = { brokers: inject('kafkaBrokers'), instance: 'test', topics };
  const records = [actionEvent(), actionEvent({ episode: 1, label: 'odd' }), actionEvent({ episode: 2 })];
  const stored = await journalled(dir, records);
  const config = await writeConfig(directory, {
    streams: [{ id: 'cam-1', url: 'video.mp4' }],
    journal: { dir },
    sinks: { kafka: kafkaSettings(kafka.brokers, topics), postgres: { url } },
  });
  const dlq = (...args: string[]): ReturnType<typeof runCli> => runCli(['dlq', ...args]);

  const none = createPostgresSink({ url, autoMigrate: true });
  await write(none, []);
  await runSql(url, `ALTER TABLE actionstream.action_events ADD CONSTRAINT even CHECK (label <> 'odd')`);
  await write(createPostgresSink({ url }), stored);
  await write(createKafkaSink({ ...kafka, createTopics: { partitions: 1, replicationFactor: 1 } }), []);
  await limitSize(topics['action.event'], '400');
  await write(createKafkaSink(kafka), stored.slice(0, 1));

  const { stdout: table } = await dlq('ls', config);
  expect(table.trim().split('\n')).toHaveLength(3);
  const letters = (await dlq('ls', config, '--json')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as DeadLetter);
  expect(letters.map(({ sink, type }) => [sink, type])).toEqual([
    ['kafka', 'action.event'],
    ['postgres', 'action.event'],
  ]);
  const id = letters[1]!.record_id;
  const shown = await dlq('show', id, config);
  expect(shown.stdout).toMatch(/^postgres: .*even.*\n\{.*"label":"odd"/);
  expect((await dlq('show', 'nobody', config)).stderr).toMatch(/no dead letter has the id nobody/);

  const early = await dlq('replay', config, '--id', id);
  expect(early.stdout).toBe('postgres: 1 records sent again, 1 of them refused again\n');
  expect(early.code).toBe(1);
  expect(await rowsOf(url, 'SELECT record_id FROM actionstream.dead_letters')).toEqual([{ record_id: id }]);

  await runSql(url, 'ALTER TABLE actionstream.action_events DROP CONSTRAINT even');
  await limitSize(topics['action.event'], '1048576');
  const late = await dlq('replay', config, '--all');
  expect(late).toMatchObject({
    code: 0,
    stdout: 'kafka: 1 records sent again\npostgres: 1 records sent again\n',
  });
  expect(await rowsOf(url, 'SELECT count(*)::int AS n FROM actionstream.action_events')).toEqual([{ n: 3 }]);
  expect(await rowsOf(url, 'SELECT record_id FROM actionstream.dead_letters')).toEqual([]);
  expect(await kcat(kafka.brokers, topics['action.event'])).toHaveLength(1);
});

async function journalled(
  dir: string,
  records: readonly ReturnType<typeof actionEvent>[],
): Promise<readonly StoredRecord[]> {
  await using journal = await openJournal({ dir, consumers: ['kafka', 'postgres'] });
  await journal.append(records);
  return await journal.read(0, 10);
}

async function write(sink: EventSink, records: readonly StoredRecord[]): Promise<void> {
  await using owned = sink;
  await owned.open(never);
  if (records.length > 0) await owned.write(records, never);
}

async function limitSize(topic: string, bytes: string): Promise<void> {
  await withKafkaAdmin(inject('kafkaBrokers'), (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: [{ name: 'max.message.bytes', value: bytes }],
        },
      ],
    }),
  );
}
