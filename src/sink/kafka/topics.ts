import { setTimeout as delay } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import type { ActionstreamError } from '../../core/errors.ts';
import { RECORD_TYPES, type RecordType } from '../../core/records.ts';
import { RecordsRefused } from '../event-sink.ts';
import { createKafka, type OwnedKafka } from './client.ts';
import { isTopicRefused, rootOf, toKafkaError, type KafkaPlace } from './errors.ts';
import type { KafkaSinkOptions, KafkaTopics } from './options.ts';

/** How often, and how far apart, we look for a topic that was just created. */
const VISIBLE_TRIES = 50;
const VISIBLE_PAUSE_MS = 100;

/**
 * Are all topics there, and may this user write to each? Creates missing ones where the options say so.
 * @throws RecordsRefused naming each topic that is not ready; KAFKA_UNREACHABLE
 *   or KAFKA_REFUSED where none can be asked
 */
export async function checkTopics(
  topics: KafkaTopics,
  options: KafkaSinkOptions,
  signal: AbortSignal,
): Promise<void> {
  using owned = createKafka(options);
  const admin = owned.kafka.admin();
  const missing = await answeredBy(owned, options, signal, async () => {
    await admin.connect();
    return missingTopics(admin, namesOf(topics));
  });
  const refusals = [];
  for (const topic of namesOf(topics)) {
    try {
      const place = { ...options, topic };
      if (missing.includes(topic)) {
        if (!options.createTopics) throw toKafkaError(unknownTopic(), place);
        await answeredBy(owned, { ...place, action: 'create' }, signal, () =>
          create(admin, topic, { topics, options, signal }),
        );
      }
      await answeredBy(owned, place, signal, () => mayWrite(owned, topic));
    } catch (error) {
      if (!isTopicRefused(error)) throw error;
      refusals.push({ types: typesIn(topics, topic), error: error as ActionstreamError });
    }
  }
  if (refusals.length > 0) throw new RecordsRefused(refusals);
}

/** Creates one topic that went missing while we run. */
export async function createTopic(
  topic: string,
  parts: { readonly topics: KafkaTopics; readonly options: KafkaSinkOptions },
  signal: AbortSignal,
): Promise<void> {
  using owned = createKafka(parts.options);
  const admin = owned.kafka.admin();
  await answeredBy(owned, { ...parts.options, topic, action: 'create' }, signal, async () => {
    await admin.connect();
    await create(admin, topic, { ...parts, signal });
  });
}

/** Types of record that go to this topic; none for the dead letters. */
export function typesIn(topics: KafkaTopics, topic: string): readonly RecordType[] {
  return RECORD_TYPES.filter((type) => topics[type] === topic);
}

function namesOf(topics: KafkaTopics): readonly string[] {
  return [...new Set(Object.values(topics) as string[])];
}

async function answeredBy<T>(
  owned: OwnedKafka,
  place: KafkaPlace,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await owned.use(work, signal);
  } catch (error) {
    throw toKafkaError(error, { ...place, network: owned.network });
  }
}

export async function missingTopics(admin: Admin, names: readonly string[]): Promise<readonly string[]> {
  const visible = new Set(await admin.listTopics());
  return names.filter((name) => !visible.has(name));
}

async function create(
  admin: Admin,
  topic: string,
  parts: { readonly topics: KafkaTopics; readonly options: KafkaSinkOptions; readonly signal: AbortSignal },
): Promise<void> {
  const { topics, options, signal } = parts;
  const { partitions = 1, replicationFactor = 1 } = options.createTopics ?? {};
  const isCompacted = topic === topics['stream.status'];
  await makeTopic(admin, { topic, partitions, replicationFactor, isCompacted }, signal);
}

export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Keeps the last message of each key. */
  readonly isCompacted: boolean;
}

/** Creates a topic unless somebody else does, and waits until it is there. */
export async function makeTopic(
  admin: Admin,
  { topic, partitions, replicationFactor, isCompacted }: NewTopic,
  signal: AbortSignal,
): Promise<void> {
  const configEntries = isCompacted ? [{ name: 'cleanup.policy', value: 'compact' }] : [];
  await admin
    .createTopics({
      waitForLeaders: false,
      topics: [{ topic, numPartitions: partitions, replicationFactor, configEntries }],
    })
    .catch(async (error: unknown) => {
      // Another instance may have been faster.
      if ((await missingTopics(admin, [topic])).length > 0) throw error;
    });
  // The controller has made the topic; a busy broker learns of it later and calls it unknown until then.
  for (let tries = 0; tries < VISIBLE_TRIES && (await missingTopics(admin, [topic])).length > 0; tries += 1)
    await delay(VISIBLE_PAUSE_MS, undefined, { signal });
}

/**
 * Asks for Write without writing: the broker checks the right first, and then
 * refuses every record of a request whose `acks` it does not know.
 */
async function mayWrite(owned: OwnedKafka, topic: string): Promise<void> {
  const producer = owned.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  await producer
    .send({ topic, acks: 2, messages: [{ key: 'actionstream', value: '' }] })
    .catch((error: unknown) => {
      if (rootOf(error).type !== 'INVALID_REQUIRED_ACKS') throw error;
    });
}

function unknownTopic(): Error {
  return Object.assign(new Error('unknown topic'), { type: 'UNKNOWN_TOPIC_OR_PARTITION' });
}
