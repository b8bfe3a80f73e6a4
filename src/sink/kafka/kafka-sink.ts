import kafkajs, { type Producer, type TopicMessages } from 'kafkajs';
import { ActionstreamError } from '../../core/errors.ts';
import { silentLogger, type Logger } from '../../core/logger.ts';
import { recordIdOf, streamIdOf } from '../../core/records.ts';
import type { EventSink, StoredRecord } from '../event-sink.ts';
import { createKafka, type OwnedKafka } from './client.ts';
import { sourceOf, toCloudEvent } from './cloud-event.ts';
import { isRecordRefused, rootOf, toKafkaError } from './errors.ts';
import { DEFAULT_TOPICS, type KafkaSinkOptions, type KafkaTopics } from './options.ts';
import { checkTopics } from './topics.ts';

/** Builds the sink without I/O. Write one batch at a time: concurrent sends can lose acknowledged records. */
export function createKafkaSink(options: KafkaSinkOptions, logger: Logger = silentLogger): EventSink {
  return new KafkaSink(options, logger);
}

interface Connected {
  readonly owned: OwnedKafka;
  readonly producer: Producer;
}

// One request's records, bytes before compression: half of what a broker accepts by default.
const REQUEST_BYTES = 512 * 1024;
const DEAD_LETTER_HEAD_CHARACTERS = 8192;

class KafkaSink implements EventSink {
  readonly name = 'kafka';
  readonly #options: KafkaSinkOptions;
  readonly #topics: KafkaTopics;
  readonly #logger: Logger;
  readonly #maxRecordBytes: number;
  #connected: Connected | undefined;
  #isChecked = false;

  constructor(options: KafkaSinkOptions, logger: Logger) {
    this.#options = options;
    this.#topics = { ...DEFAULT_TOPICS, ...options.topics };
    this.#logger = logger;
    this.#maxRecordBytes = options.maxRecordBytes ?? 1_000_000;
  }

  async open(signal: AbortSignal): Promise<void> {
    if (this.#isChecked) return;
    const owned = createKafka(this.#options);
    await this.#whileConnected(owned, signal, async () => {
      const admin = owned.kafka.admin();
      try {
        await admin.connect();
        await checkTopics(admin, this.#topics, this.#options);
      } finally {
        await admin.disconnect();
        owned.destroy();
      }
    });
    this.#isChecked = true;
  }

  async write(batch: readonly StoredRecord[], signal: AbortSignal): Promise<void> {
    const limit = Math.min(REQUEST_BYTES, this.#maxRecordBytes);
    for (const chunk of chunksOf(batch, limit)) await this.#send(chunk, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const connected = this.#connected;
    this.#connected = undefined;
    if (!connected) return;
    await connected.producer.disconnect().catch(() => undefined);
    connected.owned.destroy();
  }

  /** Halves a batch that the broker refuses for its records until the bad record is alone. */
  async #send(batch: readonly StoredRecord[], signal: AbortSignal): Promise<void> {
    const [first] = batch;
    if (!first) return;
    if (batch.length === 1 && sizeOf(first) > this.#maxRecordBytes) {
      await this.#sendDeadLetter(
        first,
        `${sizeOf(first)} bytes; the limit is ${this.#maxRecordBytes}`,
        signal,
      );
      return;
    }
    try {
      await this.#sendMessages(this.#toTopicMessages(batch), signal);
    } catch (error) {
      if (!isRecordRefused(error)) throw toKafkaError(error, this.#options);
      if (batch.length === 1) {
        await this.#sendDeadLetter(first, rootOf(error).text, signal);
        return;
      }
      const middle = batch.length >>> 1;
      await this.#send(batch.slice(0, middle), signal);
      await this.#send(batch.slice(middle), signal);
    }
  }

  async #sendDeadLetter(stored: StoredRecord, reason: string, signal: AbortSignal): Promise<void> {
    const { record } = stored;
    const { headers, value } = toCloudEvent(stored);
    const letter = {
      record_id: recordIdOf(record),
      source: sourceOf(record),
      type: record.type,
      reason,
      bytes: Buffer.byteLength(value),
      head: value.slice(0, DEAD_LETTER_HEAD_CHARACTERS),
    };
    this.#logger.warn(
      { sink: 'kafka', record_id: letter.record_id, reason },
      'Kafka can never accept a record',
    );
    const message = { key: streamIdOf(record), value: JSON.stringify(letter), headers };
    await this.#sendMessages([{ topic: this.#topics.deadLetter, messages: [message] }], signal).catch(
      (error: unknown) => {
        throw toKafkaError(error, this.#options);
      },
    );
  }

  #toTopicMessages(batch: readonly StoredRecord[]): TopicMessages[] {
    // Production time, not event time: retention would delete a replayed old file at once.
    const timestamp = String(Date.now());
    const byTopic = new Map<string, TopicMessages>();
    for (const stored of batch) {
      const topic = this.#topics[stored.record.type];
      const entry = byTopic.get(topic) ?? { topic, messages: [] };
      byTopic.set(topic, entry);
      const { key, value, headers } = toCloudEvent(stored);
      entry.messages.push({ key, value, headers: { ...headers }, timestamp });
    }
    return [...byTopic.values()];
  }

  /**
   * After any failure the producer is thrown away: its sequence numbers may no longer match the broker's, and a later
   * batch under a number that the broker has seen would be dropped as a duplicate although it was acknowledged.
   */
  async #sendMessages(topicMessages: TopicMessages[], signal: AbortSignal): Promise<void> {
    try {
      const { owned, producer } = await this.#connect(signal);
      await this.#whileConnected(owned, signal, () =>
        producer.sendBatch({ acks: -1, compression: kafkajs.CompressionTypes.GZIP, topicMessages }),
      );
    } catch (error) {
      this.#connected?.owned.destroy();
      this.#connected = undefined;
      throw error;
    }
  }

  async #connect(signal: AbortSignal): Promise<Connected> {
    if (this.#connected) return this.#connected;
    const owned = createKafka(this.#options);
    const producer = owned.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      // The same request again, under the same sequence numbers: the broker recognises it.
      retry: { retries: 4, initialRetryTime: 200, maxRetryTime: 2000 },
    });
    await this.#whileConnected(owned, signal, () => producer.connect());
    this.#connected = { owned, producer };
    return this.#connected;
  }

  /** Runs `work`; the abort closes the client's sockets, so that it ends at once. */
  async #whileConnected<T>(owned: OwnedKafka, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (signal.aborted) throw aborted();
    let onAbort: (() => void) | undefined;
    const interrupted = new Promise<never>((_, reject) => {
      onAbort = () => {
        owned.destroy();
        reject(aborted());
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([work(), interrupted]);
    } catch (error) {
      owned.destroy();
      throw isRecordRefused(error) ? error : toKafkaError(error, this.#options);
    } finally {
      if (onAbort) signal.removeEventListener('abort', onAbort);
    }
  }
}

function aborted(): ActionstreamError {
  return new ActionstreamError('ABORTED', 'interrupted while Kafka had not yet answered');
}

function sizeOf({ record }: StoredRecord): number {
  return Buffer.byteLength(JSON.stringify(record.payload));
}

/** Neighbouring records of about `bytes` together; one that is larger stands alone. */
function chunksOf(batch: readonly StoredRecord[], bytes: number): readonly (readonly StoredRecord[])[] {
  const chunks: StoredRecord[][] = [];
  let size = Infinity;
  for (const stored of batch) {
    const next = sizeOf(stored);
    if (size + next > bytes) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)?.push(stored);
    size += next;
  }
  return chunks;
}
