import type { Message } from 'kafkajs';
import { ActionstreamError } from '../../core/errors.ts';
import { groupBy } from '../../core/group-by.ts';
import { silentLogger, type Logger } from '../../core/logger.ts';
import { recordIdOf, streamIdOf } from '../../core/records.ts';
import { RecordsRefused, type EventSink, type StoredRecord } from '../event-sink.ts';
import { sourceOf, toCloudEvent } from './cloud-event.ts';
import { isPartitionRefused, isRecordRefused, isTopicMissing, isTopicRefused, rootOf } from './errors.ts';
import { DEFAULT_TOPICS, type KafkaSinkOptions, type KafkaTopics } from './options.ts';
import { TopicProducer } from './topic-producer.ts';
import { checkTopics, createTopic, typesIn } from './topics.ts';

/** Builds the sink without I/O. Write one batch at a time: concurrent sends can lose acknowledged records. */
export function createKafkaSink(options: KafkaSinkOptions, logger: Logger = silentLogger): EventSink {
  return new KafkaSink(options, logger);
}

// One request's records, bytes before compression: half of what a broker accepts by default.
const REQUEST_BYTES = 512 * 1024;
const DEAD_LETTER_HEAD_CHARACTERS = 8192;

/**
 * Each topic gets its records of a batch in requests of its own, and what it accepted stays accepted:
 * - when a topic refuses (no Write, missing, too few replicas): the others
 *   still get theirs, then `write` throws RecordsRefused;
 * - when the brokers cannot be reached: `write` throws at once;
 * - when the same batch is written again: records that were accepted are not sent again.
 */
class KafkaSink implements EventSink {
  readonly name = 'kafka';
  readonly #options: KafkaSinkOptions;
  readonly #topics: KafkaTopics;
  readonly #logger: Logger;
  readonly #maxRecordBytes: number;
  readonly #producer: TopicProducer;
  /** By topic: offsets that were accepted of the last batch. */
  readonly #accepted = new Map<string, Set<number>>();

  constructor(options: KafkaSinkOptions, logger: Logger) {
    this.#options = options;
    this.#topics = { ...DEFAULT_TOPICS, ...options.topics };
    this.#logger = logger;
    this.#maxRecordBytes = options.maxRecordBytes ?? 1_000_000;
    this.#producer = new TopicProducer(options);
  }

  async open(signal: AbortSignal): Promise<void> {
    await checkTopics(this.#topics, this.#options, signal);
  }

  async write(batch: readonly StoredRecord[], signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new ActionstreamError('ABORTED', 'interrupted before Kafka was asked');
    const limit = Math.min(REQUEST_BYTES, this.#maxRecordBytes);
    const byTopic = groupBy(batch, ({ record }) => this.#topics[record.type]);
    const refusals = [];
    for (const [topic, records] of byTopic) {
      const accepted = this.#acceptedOf(topic, records);
      const pending = records.filter(({ offset }) => !accepted.has(offset));
      try {
        for (const chunk of chunksOf(pending, limit)) await this.#send({ topic, chunk, accepted, signal });
      } catch (error) {
        if (!(error instanceof ActionstreamError && isTopicRefused(error))) throw error;
        refusals.push({ types: typesIn(this.#topics, topic), error });
      }
    }
    if (refusals.length > 0) throw new RecordsRefused(refusals);
    for (const topic of byTopic.keys()) this.#accepted.delete(topic);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#producer.destroy();
    return Promise.resolve();
  }

  /** What was accepted of a topic's records before, of these records only. */
  #acceptedOf(topic: string, records: readonly StoredRecord[]): Set<number> {
    const before = this.#accepted.get(topic) ?? new Set();
    const accepted = new Set(records.map(({ offset }) => offset).filter((offset) => before.has(offset)));
    this.#accepted.set(topic, accepted);
    return accepted;
  }

  async #send(request: TopicRequest): Promise<void> {
    const { topic, chunk, accepted, signal, retries } = request;
    const [first] = chunk;
    if (!first) return;
    if (chunk.length === 1 && sizeOf(first) > this.#maxRecordBytes) {
      await this.#sendDeadLetter(
        first,
        `${sizeOf(first)} bytes; the limit is ${this.#maxRecordBytes}`,
        signal,
      );
      accepted.add(first.offset);
      return;
    }
    try {
      await this.#producer.send(topic, toMessages(chunk), {
        signal,
        ...(retries !== undefined && { retries }),
      });
    } catch (error) {
      await this.#sendOtherwise(request, error);
      return;
    }
    for (const { offset } of chunk) accepted.add(offset);
  }

  /** After a refusal that another request may avoid; else throws the refusal again. */
  async #sendOtherwise(request: TopicRequest, refusal: unknown): Promise<void> {
    const { topic, chunk, accepted, signal, isSecondTry = false } = request;
    const { createTopics } = this.#options;
    if (isTopicMissing(refusal) && createTopics && !isSecondTry) {
      await createTopic(topic, { topics: this.#topics, options: this.#options }, signal);
      this.#logger.warn({ sink: 'kafka', topic }, 'a missing topic was created');
      await this.#send({ ...request, isSecondTry: true });
      return;
    }
    if (isRecordRefused(refusal)) {
      const [first] = chunk;
      if (chunk.length === 1 && first) {
        await this.#sendDeadLetter(first, rootOf(refusal).text, signal);
        accepted.add(first.offset);
        return;
      }
      // Halved until the bad record is alone.
      const middle = chunk.length >>> 1;
      await this.#send({ ...request, chunk: chunk.slice(0, middle) });
      await this.#send({ ...request, chunk: chunk.slice(middle) });
      return;
    }
    if (isPartitionRefused(refusal) && !isSecondTry) await this.#sendByPartition(request);
    else throw refusal;
  }

  /** Which partitions accept? The broker's answer names one error for all, so each is asked alone. */
  async #sendByPartition(request: TopicRequest): Promise<void> {
    const { topic, chunk } = request;
    const partitions = groupBy(chunk, ({ record }) =>
      String(this.#producer.partitionOf(topic, streamIdOf(record))),
    );
    let refusal: ActionstreamError | undefined;
    for (const records of partitions.values()) {
      try {
        await this.#send({ ...request, chunk: records, isSecondTry: true, retries: 1 });
      } catch (error) {
        if (!(error instanceof ActionstreamError && isPartitionRefused(error))) throw error;
        refusal = error;
      }
    }
    if (refusal) throw refusal;
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
    await this.#producer.send(this.#topics.deadLetter, [message], { signal });
  }
}

interface TopicRequest {
  readonly topic: string;
  readonly chunk: readonly StoredRecord[];
  /** Offsets are added as they are accepted. */
  readonly accepted: Set<number>;
  readonly signal: AbortSignal;
  /** The topic was created, or the partitions are asked one by one: what is refused now stays refused. */
  readonly isSecondTry?: boolean;
  readonly retries?: number;
}

function toMessages(batch: readonly StoredRecord[]): Message[] {
  // Production time, not event time: retention would delete a replayed old file at once.
  const timestamp = String(Date.now());
  return batch.map((stored) => {
    const { key, value, headers } = toCloudEvent(stored);
    return { key, value, headers: { ...headers }, timestamp };
  });
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
