import type { PublishedRecord, RecordType } from '../../core/records.ts';
import { envelopeOf, toCloudEvent } from '../kafka/cloud-event.ts';
import type { KafkaTopics } from '../kafka/options.ts';
import type { StoredRecord } from '../event-sink.ts';
import type { TopicMessage } from '../kafka/read-topics.ts';
import { contentsOf, describeDifferences } from './contents.ts';
import type { Differences } from './differences.ts';
import type { JournalView } from './journal-view.ts';
import { createColumn } from './record-index.ts';
import type { Survey } from './survey.ts';
import type { Problem } from './types.ts';

/** Where the first copy of a record lies in its topic. */
export interface Place {
  readonly partition: number;
  readonly offset: number;
}

interface Parts {
  readonly survey: Survey;
  readonly view: JournalView;
  readonly topics: KafkaTopics;
  readonly differences: Differences;
}

/** Marks of a record. */
const MARK = { deadLetter: 1, differs: 2 } as const;

/**
 * What the topics hold, taken message by message: contents are compared at once, places are kept for the end.
 */
export class KafkaMessages {
  duplicates = 0;
  deadLetters = 0;
  foreign = 0;
  /** By key of the status topic: when its newest message was journalled, whoever wrote it, ms since 1970. */
  readonly newestStatusMs = new Map<string, number>();
  readonly #parts: Parts;
  readonly #offsets = createColumn(Float64Array);
  readonly #partitions = createColumn(Uint16Array);
  readonly #marks = createColumn(Uint8Array);

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  placeOf(number: number): Place | undefined {
    const next = this.#offsets.value(number);
    return next === 0 ? undefined : { partition: this.#partitions.value(number), offset: next - 1 };
  }

  isDeadLetter(number: number): boolean {
    return (this.#marks.value(number) & MARK.deadLetter) !== 0;
  }

  async add(message: TopicMessage): Promise<void> {
    const { survey, topics } = this.#parts;
    const recordedAtMs = Date.parse(message.headers['ce_recordedtime'] ?? '');
    this.#noteStatus(message, recordedAtMs);
    const id = `${message.headers['ce_source'] ?? ''} ${message.headers['ce_id'] ?? ''}`;
    let number = survey.numberOf(id);
    if (number === undefined) {
      await survey.refresh(recordedAtMs);
      number = survey.numberOf(id);
    }
    if (number === undefined) this.#addUnknown(message, recordedAtMs);
    else if (message.topic === topics.deadLetter) await this.#addDeadLetter(number, message);
    else await this.#addCopy(number, message);
  }

  #noteStatus({ topic, key }: TopicMessage, recordedAtMs: number): void {
    if (topic !== this.#parts.topics['stream.status'] || Number.isNaN(recordedAtMs)) return;
    this.newestStatusMs.set(key, Math.max(recordedAtMs, this.newestStatusMs.get(key) ?? 0));
  }

  #addUnknown({ topic, headers, value }: TopicMessage, recordedAtMs: number): void {
    const { survey, differences } = this.#parts;
    const source = parseSource(headers['ce_source'] ?? '');
    const runId = runIdOf(value);
    if (!source || !survey.provenance.claims({ ...source, runId, recordedAtMs })) {
      this.foreign += 1;
      return;
    }
    if (!Number.isNaN(recordedAtMs) && !survey.covers(recordedAtMs)) return;
    const detail = `lies in ${topic} under ${headers['ce_source'] ?? ''}, and the journal has never held it`;
    differences.add({ sink: 'kafka', problem: 'unknown', subject: headers['ce_id'] ?? '', detail });
  }

  async #addCopy(number: number, message: TopicMessage): Promise<void> {
    const { survey, topics } = this.#parts;
    const type = survey.typeOf(number);
    if (message.topic !== topics[type]) {
      this.#report(number, message, {
        problem: 'topic',
        detail: `lies in ${message.topic}, not in ${topics[type]}`,
      });
      return;
    }
    if (this.#offsets.value(number) === 0) {
      this.#offsets.set(number, [Number(message.offset) + 1]);
      this.#partitions.set(number, [message.partition]);
    } else this.duplicates += 1;
    if (this.#isTrue(number, type, message)) return;
    const detail = this.#isUnreported(number) ? await this.#describe(number, message) : '';
    this.#report(number, message, { problem: 'payload', detail });
  }

  #isTrue(number: number, type: RecordType, message: TopicMessage): boolean {
    const record = parseRecord(type, message.value);
    if (!record) return false;
    const recordedAtMs = Date.parse(message.headers['ce_recordedtime'] ?? '');
    if (!this.#parts.survey.hasContents(number, contentsOf(record, recordedAtMs))) return false;
    return describeEnvelope(message, { record, recordedAtMs }) === '';
  }

  async #describe(number: number, message: TopicMessage): Promise<string> {
    const { survey, view } = this.#parts;
    const place = `${message.topic}/${message.partition} at ${message.offset}`;
    const stored = await view.recordAt(survey.offsetOf(number));
    if (!stored) return `other contents in ${place}`;
    const record = parseRecord(stored.record.type, message.value);
    const contents = record
      ? describeDifferences(record.payload, stored.record.payload)
      : 'the value is not a record';
    return `in ${place}: ${contents || describeEnvelope(message, stored) || 'the time of recording differs'}`;
  }

  async #addDeadLetter(number: number, message: TopicMessage): Promise<void> {
    const { survey, view } = this.#parts;
    if (!this.isDeadLetter(number)) this.deadLetters += 1;
    this.#marks.set(number, [this.#marks.value(number) | MARK.deadLetter]);
    const stored = await view.recordAt(survey.offsetOf(number));
    if (!stored || isLetterOf(toCloudEvent(stored), message)) return;
    this.#report(number, message, { problem: 'dead_letter', detail: `does not tell of the record as it is` });
  }

  #isUnreported(number: number): boolean {
    return this.#parts.differences.isOpen && (this.#marks.value(number) & MARK.differs) === 0;
  }

  /** One difference a record is enough. */
  #report(
    number: number,
    { headers }: TopicMessage,
    { problem, detail }: { readonly problem: Problem; readonly detail: string },
  ): void {
    const { survey, differences } = this.#parts;
    const marks = this.#marks.value(number);
    if ((marks & MARK.differs) !== 0 || !survey.isInRange(number)) return;
    this.#marks.set(number, [marks | MARK.differs]);
    differences.add({ sink: 'kafka', problem, subject: headers['ce_id'] ?? '', detail });
  }
}

/** `/actionstream/<instance>/streams/<stream_id>`; undefined for a source of somebody else. */
function parseSource(source: string): { readonly instance: string; readonly streamId: string } | undefined {
  const [, instance, streamId] = /^\/actionstream\/([^/]+)\/streams\/([^/]+)$/.exec(source) ?? [];
  if (instance === undefined || streamId === undefined) return undefined;
  try {
    return { instance: decodeURIComponent(instance), streamId: decodeURIComponent(streamId) };
  } catch {
    return undefined;
  }
}

/**
 * The run that an unknown message names; undefined where it is of a live stream
 * or says nothing that can be read.
 */
function runIdOf(value: string): string | undefined {
  const runId: unknown = parseRecord('action.event', value)?.payload.run_id;
  return typeof runId === 'string' ? runId : undefined;
}

function parseRecord(type: RecordType, value: string): PublishedRecord | undefined {
  try {
    const payload = JSON.parse(value) as PublishedRecord['payload'] | null;
    const isOurs = typeof payload === 'object' && payload !== null && typeof payload.pipeline === 'object';
    return isOurs ? ({ type, payload } as PublishedRecord) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Key and headers must be those that the payload gives; empty where they are. A header on
 * one side only says nothing: another version of the program may have written the message.
 */
function describeEnvelope(
  message: TopicMessage,
  { record, recordedAtMs }: Pick<StoredRecord, 'record' | 'recordedAtMs'>,
): string {
  const isTimed = !Number.isNaN(recordedAtMs);
  const { key, headers } = envelopeOf({ record, recordedAtMs: isTimed ? recordedAtMs : 0 });
  if (message.key !== key) return `the key is ${JSON.stringify(message.key)}, not ${JSON.stringify(key)}`;
  const shared: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && message.headers[name] !== undefined) shared[name] = value;
  }
  const actual = Object.fromEntries(Object.keys(shared).map((name) => [name, message.headers[name]]));
  return describeDifferences(actual, shared);
}

/** Does the letter tell of this message: its id, source, size and beginning? */
function isLetterOf(expected: ReturnType<typeof toCloudEvent>, letter: TopicMessage): boolean {
  try {
    const content = JSON.parse(letter.value) as Record<string, unknown>;
    const { record_id: id, source, bytes, head } = content;
    return (
      id === expected.headers['ce_id'] &&
      source === expected.headers['ce_source'] &&
      bytes === Buffer.byteLength(expected.value) &&
      typeof head === 'string' &&
      head !== '' &&
      expected.value.startsWith(head)
    );
  } catch {
    return false;
  }
}
