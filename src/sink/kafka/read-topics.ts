import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, KafkaMessage } from 'kafkajs';
import { createKafka } from './client.ts';
import { monotonicMs } from '../../core/time.ts';
import { toKafkaError } from './errors.ts';
import type { KafkaConnection } from './options.ts';

/** A message as it lies in the topic. */
export interface TopicMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ReadTopicsOptions extends KafkaConnection {
  readonly topics: readonly string[];
  /** `end`: only what comes from now on. */
  readonly from: 'beginning' | 'end';
  /** Ends at the last message that is there at the call; otherwise goes on until the signal aborts. */
  readonly untilEnd?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Bytes are counted compressed, and the client unpacks an answer whole: our batches shrink to a twentieth.
 */
const FETCH = { maxWaitTimeInMs: 250, maxBytesPerPartition: 64 * 1024, maxBytes: 256 * 1024 };

/** Between two signs of life to the broker, which waits for 30 s. */
const HEARTBEAT_MS = 1000;

/** How long the consumer group may take to be left and removed; a frozen broker would take for ever. */
const GOODBYE_MS = 3000;

/**
 * Messages of some topics, per partition in order, through a consumer group of
 * its own that is removed afterwards.
 * @throws KAFKA_UNREACHABLE, KAFKA_REFUSED
 */
export async function* readTopics(options: ReadTopicsOptions): AsyncGenerator<TopicMessage, void, undefined> {
  using owned = createKafka(options);
  const admin = owned.kafka.admin();
  const groupId = `actionstream-${options.instance}-${randomUUID()}`;
  const consumer = owned.kafka.consumer({ ...FETCH, groupId, allowAutoTopicCreation: false });
  const inbox = new Inbox();
  const onAbort = (): void => {
    inbox.end();
  };
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const remaining = await owned.use(async () => {
      await admin.connect();
      return options.untilEnd ? await lastOffsets(options.topics, admin) : undefined;
    }, options.signal);
    if (remaining?.size === 0) return;
    await owned.use(() => startConsumer(consumer, { options, inbox, remaining }), options.signal);
    yield* inbox;
  } catch (error) {
    const failure = toKafkaError(error, { ...options, action: 'read', network: owned.network });
    if (failure.code !== 'ABORTED') throw failure;
  } finally {
    options.signal.removeEventListener('abort', onAbort);
    inbox.end();
    const goodbye = async (): Promise<void> => {
      await consumer.disconnect();
      await admin.deleteGroups([groupId]);
    };
    await owned.use(goodbye, AbortSignal.timeout(GOODBYE_MS)).catch(() => undefined);
  }
}

/** `topic/partition` → first offset that need not be read any more, for partitions that hold something. */
async function lastOffsets(topics: readonly string[], admin: Admin): Promise<Map<string, bigint>> {
  const ends = new Map<string, bigint>();
  for (const topic of topics) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (BigInt(high) > BigInt(low)) ends.set(`${topic}/${partition}`, BigInt(high));
    }
  }
  return ends;
}

async function startConsumer(
  consumer: Consumer,
  parts: {
    readonly options: ReadTopicsOptions;
    readonly inbox: Inbox;
    readonly remaining: Map<string, bigint> | undefined;
  },
): Promise<void> {
  const { options, inbox, remaining } = parts;
  consumer.on('consumer.crash', ({ payload }) => {
    // Crashes that the client recovers from by itself are not the end.
    if (!payload.restart) inbox.fail(payload.error);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [...options.topics], fromBeginning: options.from === 'beginning' });
  await consumer.run({
    autoCommit: false,
    eachBatch: async (payload) => {
      const { batch } = payload;
      let aliveAtMs = monotonicMs();
      for (const message of batch.messages) {
        if (!inbox.isOpen) return;
        await inbox.put(toTopicMessage(batch.topic, batch.partition, message));
        payload.resolveOffset(message.offset);
        // A slow reader must not look dead; asking the client each time would cost more than the message.
        if (monotonicMs() - aliveAtMs < HEARTBEAT_MS) continue;
        await payload.heartbeat();
        aliveAtMs = monotonicMs();
      }
      const place = `${batch.topic}/${batch.partition}`;
      const end = remaining?.get(place);
      if (end !== undefined && BigInt(batch.lastOffset()) + 1n >= end) remaining?.delete(place);
      if (remaining?.size === 0) inbox.end();
    },
  });
}

/**
 * Hands messages from the client's callback to the reader, one at a time: a slow reader slows the fetching.
 */
class Inbox implements AsyncIterable<TopicMessage> {
  #messages: TopicMessage[] = [];
  #isOpen = true;
  #failure: Error | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  async put(message: TopicMessage): Promise<void> {
    this.#messages.push(message);
    this.#wakeReader?.();
    while (this.#messages.length >= 1000 && this.#isOpen) {
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve;
      });
    }
  }

  end(): void {
    this.#isOpen = false;
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TopicMessage, void, undefined> {
    for (;;) {
      const messages = this.#messages;
      this.#messages = [];
      this.#wakeWriter?.();
      yield* messages;
      if (this.#messages.length > 0) continue;
      if (this.#failure) throw this.#failure;
      if (!this.#isOpen) return;
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }
}

function toTopicMessage(topic: string, partition: number, message: KafkaMessage): TopicMessage {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers ?? {})) headers[name] = String(value);
  return {
    topic,
    partition,
    offset: message.offset,
    key: message.key?.toString('utf8') ?? '',
    value: message.value?.toString('utf8') ?? '',
    headers,
  };
}
