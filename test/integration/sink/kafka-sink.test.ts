import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import kafkajs from 'kafkajs';
import { expect, inject, test } from 'vitest';
import { createKafkaSink } from '../../../src/sink/kafka/kafka-sink.ts';
import { readTopics } from '../../../src/sink/kafka/read-topics.ts';
import { tailKafka } from '../../../src/sink/tail.ts';
import { freePort } from '../../../tools/local/free-port.ts';
import { idOf, stored } from '../../contract/event-sink.contract.ts';
import { uniqueTopics, withKafkaAdmin } from '../../support/names.ts';
import { actionEvent, clipStats, streamStatus } from '../../support/records.ts';

const never = new AbortController().signal;
const connection = { brokers: inject('kafkaBrokers'), instance: 'dock' };
const createTopics = { partitions: 3, replicationFactor: 1 };

test('kcat reads key, CloudEvents headers and payload; the timestamp is that of production', async () => {
  const topics = uniqueTopics();
  await using sink = createKafkaSink({ ...connection, topics, createTopics });
  await sink.open(never);
  const before = Date.now();
  const record = actionEvent({ state: 'ended', stream_id: 'Tor 3/links' });
  await sink.write(stored([record]), never);

  const [broker = ''] = connection.brokers;
  const result = spawnSync('kcat', ['-b', broker, '-t', topics['action.event'], '-C', '-e', '-q', '-J'], {
    encoding: 'utf8',
  });
  expect(result.error, 'kcat is needed to read as a foreign client: apt-get install kcat').toBeUndefined();
  const message = JSON.parse(result.stdout) as {
    readonly key: string;
    readonly payload: string;
    readonly ts: number;
    readonly headers: readonly string[];
  };
  const pairs = message.headers.flatMap((name, place) =>
    place % 2 === 0 ? [[name, message.headers[place + 1]] as const] : [],
  );

  expect(message.key).toBe('Tor 3/links');
  expect(JSON.parse(message.payload)).toEqual(record.payload);
  expect(message.ts).toBeGreaterThanOrEqual(before);
  expect(Object.fromEntries(pairs)).toEqual({
    ce_specversion: '1.0',
    ce_id: `${record.payload.episode_id}:2`,
    ce_type: 'io.actionstream.action.ended.v1',
    ce_source: '/actionstream/test/streams/Tor%203%2Flinks',
    ce_subject: record.payload.episode_id,
    ce_time: record.payload.ended_at,
    ce_dataschema: 'urn:actionstream:schema:action-event:v1',
    'content-type': 'application/json',
    ce_partitionkey: 'Tor 3/links',
    ce_sequence: '2',
    ce_recordedtime: '2026-11-22T12:00:00.000Z',
  });
});

test('a missing topic is named, and created with its partitions where asked; status is compacted', async () => {
  const topics = uniqueTopics();
  await using strict = createKafkaSink({ ...connection, topics });
  await expect(strict.open(never)).rejects.toMatchObject({
    code: 'KAFKA_REFUSED',
    retryable: false,
    message: expect.stringContaining(topics['clip.stats']) as string,
  });

  await using creating = createKafkaSink({ ...connection, topics, createTopics });
  await creating.open(never);
  await strict.open(never);

  await withKafkaAdmin(connection.brokers, async (admin) => {
    const name = topics['stream.status'];
    const { topics: found } = await admin.fetchTopicMetadata({ topics: [name] });
    expect(found[0]?.partitions).toHaveLength(3);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames: ['cleanup.policy'] }],
    });
    expect(resources[0]?.configEntries[0]?.configValue).toBe('compact');
  });
});

test('no broker, and TLS towards a plain port, are distinguished', async () => {
  await using nobody = createKafkaSink({ brokers: [`127.0.0.1:${await freePort()}`], instance: 'dock' });
  await using wrongTls = createKafkaSink({ ...connection, tls: true });

  await expect(nobody.open(never)).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE', retryable: true });
  await expect(wrongTls.open(never)).rejects.toMatchObject({ code: 'KAFKA_REFUSED', retryable: false });
});

test('wrong credentials give no credentials in the error', async () => {
  const sasl = { mechanism: 'plain', username: 'camera', password: 'Geheim-42' } as const;
  await using sink = createKafkaSink({ ...connection, sasl });

  const error: unknown = await sink.open(never).catch((reason: unknown) => reason);

  expect(error).toMatchObject({ code: 'KAFKA_REFUSED' });
  expect(String(error)).not.toContain('Geheim-42');
  expect(String(error)).toContain('kafka.sasl');
});

test('a record that the broker itself refuses goes to the dead letters, its neighbours stay in order', async () => {
  const topics = uniqueTopics();
  await withKafkaAdmin(connection.brokers, (admin) =>
    admin.createTopics({
      topics: Object.values(topics as unknown as Record<string, string>).map((topic) => ({
        topic,
        numPartitions: 1,
        configEntries:
          topic === topics['action.event'] ? [{ name: 'max.message.bytes', value: '20000' }] : [],
      })),
    }),
  );
  await using sink = createKafkaSink({ ...connection, topics });
  await sink.open(never);
  // Noise does not compress below the limit.
  const noise = Array.from({ length: 60_000 }, () =>
    String.fromCharCode(33 + Math.floor(Math.random() * 90)),
  ).join('');
  const records = Array.from({ length: 20 }, (_, episode) =>
    actionEvent({ episode, ...(episode === 13 ? { label: noise } : {}) }),
  );

  await sink.write(stored(records), never);

  const ids: string[] = [];
  for await (const { headers } of readTopics({
    ...{ ...connection, topics: [topics['action.event']], from: 'beginning', untilEnd: true, signal: never },
  })) {
    ids.push(headers['ce_id'] ?? '');
  }
  expect([...new Set(ids)]).toEqual(
    records.filter((_, episode) => episode !== 13).map((record) => idOf(record)),
  );
});

test('an abort ends a write to a broker that does not answer', async () => {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  const sink = createKafkaSink({ brokers: [`127.0.0.1:${port}`], instance: 'dock' });
  const interrupt = new AbortController();
  const writing = sink.write(stored([actionEvent()]), interrupt.signal);
  await once(server, 'connection');

  interrupt.abort();

  // The client's own time-outs end in KAFKA_UNREACHABLE.
  await expect(writing).rejects.toMatchObject({ code: 'ABORTED' });
  await sink[Symbol.asyncDispose]();
  server.close();
});

test('tail follows new events of the topic and ends at the abort', async () => {
  const topics = uniqueTopics();
  await using sink = createKafkaSink({ ...connection, topics, createTopics });
  await sink.open(never);
  await sink.write(stored([actionEvent(), clipStats(), streamStatus()]), never);
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const record of tailKafka(
    { ...connection, topics },
    { from: 'beginning', signal: stop.signal },
  )) {
    seen.push(idOf(record));
    if (seen.length === 1) await sink.write(stored([actionEvent({ episode: 1 })]), never);
    if (seen.length === 2) stop.abort();
  }

  expect(seen).toEqual([actionEvent(), actionEvent({ episode: 1 })].map((record) => idOf(record)));
});
