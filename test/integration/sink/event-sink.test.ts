import { inject } from 'vitest';
import { createKafkaSink } from '../../../src/sink/kafka/kafka-sink.ts';
import { readTopics } from '../../../src/sink/kafka/read-topics.ts';
import { createPostgresSink } from '../../../src/sink/postgres/postgres-sink.ts';
import { describeEventSink } from '../../contract/event-sink.contract.ts';
import { rowsOf, uniqueDatabase, uniqueTopics } from '../../support/names.ts';
import { actionEvent } from '../../support/records.ts';

describeEventSink('kafka', () => {
  const connection = { brokers: inject('kafkaBrokers'), instance: 'test' };
  const topics = uniqueTopics();
  const idsIn = async (topic: string): Promise<readonly string[]> => {
    const ids = new Set<string>();
    const { signal } = new AbortController();
    for await (const { headers } of readTopics({
      ...connection,
      ...{ topics: [topic], from: 'beginning', untilEnd: true, signal },
    })) {
      ids.add(headers['ce_id'] ?? '');
    }
    return [...ids];
  };
  return Promise.resolve({
    create: () =>
      createKafkaSink({
        ...connection,
        topics,
        createTopics: { partitions: 2, replicationFactor: 1 },
        maxRecordBytes: 5000,
      }),
    storedIds: () => idsIn(topics['action.event']),
    unacceptable: actionEvent({ stream_id: 'bad', label: 'x'.repeat(6000) }),
    deadLetterIds: () => idsIn(topics.deadLetter),
    dispose: () => Promise.resolve(),
  });
});

describeEventSink('postgres', async () => {
  const { url, drop } = await uniqueDatabase(inject('postgresUrl'));
  return {
    create: () => createPostgresSink({ url, autoMigrate: true }),
    storedIds: async () => {
      const sql = `SELECT episode_id || ':' || sequence AS id FROM actionstream.action_events ORDER BY started_at`;
      return (await rowsOf(url, sql)).map((row) => String(row['id']));
    },
    // Postgres text cannot hold NUL.
    unacceptable: actionEvent({ stream_id: 'bad', label: 'nul\0' }),
    deadLetterIds: async () => {
      const rows = await rowsOf(url, 'SELECT record_id FROM actionstream.dead_letters');
      return rows.map((row) => String(row['record_id']));
    },
    dispose: drop,
  };
});
