import path from 'node:path';
import kafkajs, { type AclEntry, type AclOperationTypes, type AclResourceTypes, type Admin } from 'kafkajs';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { createDelivery } from '../../../src/sink/delivery.ts';
import { openJournal } from '../../../src/sink/journal/open-journal.ts';
import { createKafkaSink } from '../../../src/sink/kafka/kafka-sink.ts';
import type { KafkaSinkOptions, KafkaTopics } from '../../../src/sink/kafka/options.ts';
import { startLocalKafka, type LocalKafka } from '../../../tools/local/kafka.ts';
import { ROOT } from '../../support/cli.ts';
import { uniqueTopics } from '../../support/names.ts';
import { actionEvent, clipStats } from '../../support/records.ts';
import { kcat } from '../../support/strangers.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const { AclOperationTypes: Operation, AclResourceTypes: Resource } = kafkajs;
const never = new AbortController().signal;
const camera = { username: 'camera', password: 'Geheim-42' };
let kafka: LocalKafka;
let admin: Admin;
beforeAll(async () => {
  kafka = await startLocalKafka({
    cacheDir: path.join(ROOT, '.cache'),
    users: { camera: camera.password },
    listeners: { LOGIN: { protocol: 'SASL_PLAINTEXT' } },
    properties: [
      'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users=User:ANONYMOUS',
    ],
  });
  const { Kafka, logLevel } = kafkajs;
  admin = new Kafka({
    ...{ clientId: 'owner', brokers: [...kafka.brokers], logLevel: logLevel.NOTHING },
  }).admin();
  await admin.connect();
});
afterAll(async () => {
  await admin.disconnect();
  await kafka.stop();
});

test('a topic without Write is named at the start, and its records wait while the others flow, once each', async () => {
  const topics = await someTopics();
  await grant(topics, ['action.event', 'stream.status', 'deadLetter']);
  await admin.createAcls({ acl: [acl(Resource.TOPIC, topics['clip.stats'], Operation.DESCRIBE)] });
  const refusal = `this user may not write to ${topics['clip.stats']}; grant it Write and Describe on that topic`;
  await using strict = createKafkaSink(asCamera(topics));
  await expect(strict.open(never)).rejects.toMatchObject({
    code: 'KAFKA_REFUSED',
    message: expect.stringContaining(refusal) as string,
  });
  const dir = await temporaryDirectory();

  const first = await startDelivering(dir, topics);
  for (let n = 0; n < 50; n++) await first.append(n);
  await expect.poll(() => idsIn(topics['action.event']), { timeout: 60_000 }).toHaveLength(50);
  // Many attempts at the refused topic later, nothing was sent twice.
  await expect.poll(() => first.delivery.stats().retries, { timeout: 60_000 }).toBeGreaterThan(4);
  await first.stop();
  expect(first.warnings).toContainEqual(expect.stringContaining(refusal));
  expect(first.journalCheckpoint()).toBeLessThan(2);

  // A restart begins where each type had come to; then the right is granted.
  const second = await startDelivering(dir, topics);
  for (let n = 50; n < 60; n++) await second.append(n);
  await expect.poll(() => idsIn(topics['action.event']), { timeout: 60_000 }).toHaveLength(60);
  await grant(topics, ['clip.stats']);
  expect(await second.delivery.drain(60_000)).toBe(true);
  await second.stop();

  const numbers = Array.from({ length: 60 }, (_, n) => n);
  expect(await idsIn(topics['clip.stats'])).toEqual(numbers.map((n) => clip(n).payload.clip_id));
  expect(await idsIn(topics['action.event'])).toEqual(numbers.map((n) => event(n).payload.episode_id));
});

test('a topic that is deleted while we run is made again where create_topics says so', async () => {
  const topics = await someTopics();
  await grant(topics, ['action.event', 'clip.stats', 'stream.status', 'deadLetter']);
  await admin.createAcls({ acl: [acl(Resource.CLUSTER, 'kafka-cluster', Operation.CREATE)] });
  const run = await startDelivering(await temporaryDirectory(), topics, {
    createTopics: { partitions: 2, replicationFactor: 1 },
  });
  await run.append(0);
  expect(await run.delivery.drain(60_000)).toBe(true);
  await admin.deleteTopics({ topics: [topics['clip.stats']] });
  await run.append(1);
  expect(await run.delivery.drain(60_000)).toBe(true);
  await run.stop();

  expect(await idsIn(topics['clip.stats'])).toEqual([clip(1).payload.clip_id]);
  expect(await idsIn(topics['action.event'])).toHaveLength(2);
  expect(run.warnings).toContain('a missing topic was created');
});

test('a deleted topic is said in one sentence where nobody may make it, and holds up no other', async () => {
  const topics = await someTopics();
  await grant(topics, ['action.event', 'clip.stats', 'stream.status', 'deadLetter']);
  const run = await startDelivering(await temporaryDirectory(), topics);
  await run.append(0);
  expect(await run.delivery.drain(60_000)).toBe(true);
  await admin.deleteTopics({ topics: [topics['clip.stats']] });
  await run.append(1);
  await expect.poll(() => idsIn(topics['action.event']), { timeout: 60_000 }).toHaveLength(2);
  await expect
    .poll(() => run.delivery.stats().lastError, { timeout: 60_000 })
    .toContain(`there is no topic ${topics['clip.stats']}`);
  await admin.createTopics({ topics: [{ topic: topics['clip.stats'], numPartitions: 1 }] });
  expect(await run.delivery.drain(60_000)).toBe(true);
  await run.stop();

  expect(await idsIn(topics['clip.stats'])).toEqual([clip(1).payload.clip_id]);
});

test('more replicas than brokers, and a name that Kafka does not take, are each one sentence', async () => {
  const topics = uniqueTopics();
  const connection = { brokers: kafka.brokers, instance: 'dock' };
  await using copies = createKafkaSink({
    ...{ ...connection, topics, createTopics: { partitions: 1, replicationFactor: 3 } },
  });
  await using named = createKafkaSink({
    ...{ ...connection, createTopics: { partitions: 1, replicationFactor: 1 } },
    topics: { ...topics, 'clip.stats': 'clips of today' },
  });

  await expect(copies.open(never)).rejects.toThrow(
    /more replicas than there are brokers; lower sinks\.kafka\.create_topics\.replication_factor/,
  );
  await expect(named.open(never)).rejects.toThrow(
    /clips of today is no valid topic name; correct sinks\.kafka/,
  );
});

function event(n: number) {
  return actionEvent({ episode: n, stream_id: 'gate' });
}

function clip(n: number) {
  return clipStats({ clip_seq: n, stream_id: 'gate' });
}

async function startDelivering(dir: string, topics: KafkaTopics, options: Partial<KafkaSinkOptions> = {}) {
  const warnings: string[] = [];
  const warn = (fields: object, message: string): void => {
    warnings.push('reason' in fields ? String(fields.reason) : message);
  };
  const journal = await openJournal({ dir, consumers: ['kafka'] });
  const sink = createKafkaSink({ ...asCamera(topics), ...options }, { ...silentLogger, warn });
  const delivery = createDelivery({
    ...{ journal, sink, batchRecords: 20, backoff: { firstMs: 10, maxMs: 100 } },
    lanesFile: path.join(dir, 'lanes', 'kafka.json'),
    logger: { ...silentLogger, warn },
  });
  const stopping = new AbortController();
  const running = delivery.run(stopping.signal);
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    stopping.abort();
    await running;
    await sink[Symbol.asyncDispose]();
    await journal[Symbol.asyncDispose]();
  };
  onTestFinished(stop);
  return {
    ...{ delivery, warnings, stop },
    append: (n: number) => journal.append([event(n), clip(n)]),
    journalCheckpoint: () => journal.checkpointOf('kafka'),
  };
}

function asCamera(topics: KafkaTopics): KafkaSinkOptions {
  const [listener = ''] = Object.values(kafka.listeners);
  return { brokers: [listener], instance: 'dock', topics, sasl: { mechanism: 'scram-sha-512', ...camera } };
}

async function someTopics(): Promise<KafkaTopics> {
  const topics = uniqueTopics();
  const names = Object.values(topics as unknown as Record<string, string>);
  await admin.createTopics({ topics: names.map((topic) => ({ topic, numPartitions: 1 })) });
  return topics;
}

async function grant(topics: KafkaTopics, types: readonly (keyof KafkaTopics)[]): Promise<void> {
  const rights = types.flatMap((type) =>
    [Operation.WRITE, Operation.DESCRIBE].map((operation) => acl(Resource.TOPIC, topics[type], operation)),
  );
  await admin.createAcls({ acl: rights });
}

function acl(resourceType: AclResourceTypes, resourceName: string, operation: AclOperationTypes): AclEntry {
  return {
    ...{ resourceType, resourceName, operation, host: '*', principal: `User:${camera.username}` },
    resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
    permissionType: kafkajs.AclPermissionTypes.ALLOW,
  };
}

/** Subjects of a topic's messages in order: an id for each message, duplicates too. */
async function idsIn(topic: string): Promise<readonly (string | undefined)[]> {
  return (await kcat(kafka.brokers, topic)).map(({ headers }) => headers['ce_subject']);
}
