import type { Admin } from 'kafkajs';
import { isAborted, sleep } from '../../core/abort.ts';
import { createKafka } from './client.ts';
import { isPartitionRefused, isTopicMissing, toKafkaError } from './errors.ts';
import type { KafkaConnection } from './options.ts';
import { readTopics, type TopicMessage } from './read-topics.ts';
import { TopicProducer } from './topic-producer.ts';
import { makeTopic, missingTopics, type NewTopic } from './topics.ts';

/** Where the definitions of streams are kept: a compacted topic, keyed by stream id. */
export interface DefinitionTopic extends Omit<NewTopic, 'isCompacted'> {
  readonly kafka: KafkaConnection;
}

/** Creates the topic where it is missing. @throws KAFKA_UNREACHABLE, KAFKA_REFUSED */
export async function ensureDefinitionTopic(place: DefinitionTopic, signal: AbortSignal): Promise<void> {
  const { kafka, topic } = place;
  using owned = createKafka(kafka);
  const admin = owned.kafka.admin();
  const work = async (): Promise<void> => {
    await admin.connect();
    if ((await missingTopics(admin, [topic])).length > 0)
      await makeTopic(admin, { ...place, isCompacted: true }, signal);
    await untilLed(admin, topic, signal);
  };
  try {
    await owned.use(work, signal);
  } catch (error) {
    throw toKafkaError(error, { ...kafka, topic, action: 'create', network: owned.network });
  }
}

/** How often, and how far apart, we look whether a new topic can be used. */
const TRIES = 100;
const PAUSE_MS = 100;

/** Every partition of a new topic gets its leader a moment after the topic is there. */
async function untilLed(admin: Admin, topic: string, signal: AbortSignal): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      // Asks the leaders themselves: metadata may name one that does not know yet.
      await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      if (tries === TRIES || !(isPartitionRefused(error) || isTopicMissing(error))) throw error;
    }
    if (tries === TRIES || isAborted(signal)) return;
    await sleep(PAUSE_MS, signal);
  }
}

/**
 * All messages from the beginning; later ones replace earlier ones of their key, and an empty value removes
 * it.
 * @param until `now`: ends at the last one that is there; `abort`: goes on until the signal
 * @throws KAFKA_UNREACHABLE, KAFKA_REFUSED
 */
export function readDefinitions(
  { kafka, topic }: Pick<DefinitionTopic, 'kafka' | 'topic'>,
  until: 'now' | 'abort',
  signal: AbortSignal,
): AsyncGenerator<TopicMessage, void, undefined> {
  return readTopics({ ...kafka, topics: [topic], from: 'beginning', untilEnd: until === 'now', signal });
}

/** Writes definitions, one after the other. */
export class DefinitionWriter implements AsyncDisposable {
  readonly #topic: string;
  readonly #producer: TopicProducer;

  constructor({ kafka, topic }: Pick<DefinitionTopic, 'kafka' | 'topic'>) {
    this.#topic = topic;
    this.#producer = new TopicProducer(kafka);
  }

  /**
   * Resolves when all in-sync replicas have it.
   * @param definition undefined: the stream is removed
   * @throws KAFKA_UNREACHABLE, KAFKA_REFUSED, KAFKA_UNAVAILABLE, ABORTED
   */
  async write(streamId: string, definition: object | undefined, signal: AbortSignal): Promise<void> {
    const value = definition ? JSON.stringify(definition) : null;
    const headers = {
      ce_specversion: '1.0',
      ce_type: `io.actionstream.stream.${definition ? 'defined' : 'removed'}.v1`,
      ce_subject: streamId,
      ce_dataschema: 'urn:actionstream:schema:stream-definition:v1',
      'content-type': 'application/json',
    };
    await this.#producer.send(this.#topic, [{ key: streamId, value, headers }], { signal });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#producer.destroy();
    return Promise.resolve();
  }
}
