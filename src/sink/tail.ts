import type { PublishedRecord, RecordType } from '../core/records.ts';
import { openJournalReader } from './journal/reader.ts';
import { DEFAULT_TOPICS, type KafkaConnection, type KafkaTopics } from './kafka/options.ts';
import { readTopics } from './kafka/read-topics.ts';

export interface TailOptions {
  /** `beginning`: what is there first; `end`: only what comes. */
  readonly from: 'beginning' | 'end';
  /** Default: action events only. */
  readonly types?: readonly RecordType[];
  /** Ends the iteration. */
  readonly signal: AbortSignal;
}

/** Follows a journal that another process writes. @throws INPUT_INVALID, JOURNAL_CORRUPT */
export async function* tailJournal(
  dir: string,
  { from, types = ['action.event'], signal }: TailOptions,
): AsyncGenerator<PublishedRecord, void, undefined> {
  const reader = await openJournalReader(dir);
  let nextOffset = from === 'beginning' ? 0 : (await reader.bounds()).nextOffset;
  while (!signal.aborted) {
    const records = await reader.read(nextOffset, 1000);
    for (const { record } of records) if (types.includes(record.type)) yield record;
    nextOffset = (records.at(-1)?.offset ?? nextOffset - 1) + 1;
    if (records.length === 0) await reader.changed(signal);
  }
}

/**
 * Follows the topics of a broker. Duplicates of a re-send are passed on.
 * @throws KAFKA_UNREACHABLE, KAFKA_REFUSED
 */
export async function* tailKafka(
  connection: KafkaConnection & { readonly topics?: Partial<KafkaTopics> },
  { from, types = ['action.event'], signal }: TailOptions,
): AsyncGenerator<PublishedRecord, void, undefined> {
  const names = { ...DEFAULT_TOPICS, ...connection.topics };
  const topics = types.map((type) => names[type]);
  for await (const { topic, value } of readTopics({ ...connection, topics, from, signal })) {
    const type = types.find((candidate) => names[candidate] === topic);
    if (type) yield { type, payload: JSON.parse(value) as unknown } as PublishedRecord;
  }
}
