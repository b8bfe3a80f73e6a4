import { recordIdOf, streamIdOf, type PublishedRecord } from '../../core/records.ts';
import { sourceOf } from '../kafka/cloud-event.ts';
import { DEFAULT_TOPICS, type KafkaConnection, type KafkaTopics } from '../kafka/options.ts';
import { readTopics } from '../kafka/read-topics.ts';
import { createDifferences, type Differences } from './differences.ts';
import type { JournalSlice } from './journal-slice.ts';
import { createRecordIndex, type RecordIndex } from './record-index.ts';
import type { SinkComparison } from './types.ts';

/** What is marked of a record of the journal. */
const MARK = { samePayload: 1, deadLetter: 2, looked: 4 } as const;

/**
 * Every record of the journal must lie in its topic with the same payload, and first occurrences in the journal's
 * order per key. Of the status topic, which Kafka compacts, only the last status of each stream must be there.
 * The journal is read twice and the topics once; what is held is an index of the journal (record-index.ts).
 */
export async function compareWithKafka(
  slice: JournalSlice,
  connection: KafkaConnection & { readonly topics?: Partial<KafkaTopics> },
  signal: AbortSignal,
): Promise<SinkComparison> {
  const topics = { ...DEFAULT_TOPICS, ...connection.topics };
  const { index, lastStatuses } = await indexJournal(slice);
  const { duplicates, deadLetters } = await lookThrough(index, { connection, topics, signal });
  const differences = createDifferences();
  await tellDifferences(slice, { index, lastStatuses, topics }, differences);
  return {
    compared: index.size,
    undelivered: slice.undelivered,
    duplicates,
    deadLetters,
    differing: differences.count,
    differences: differences.first,
  };
}

interface JournalIndex {
  /** First occurrences of each identity; of each stream's status only the last. */
  readonly index: RecordIndex;
  /** By stream: where the last status lies in the journal. */
  readonly lastStatuses: ReadonlyMap<string, number>;
}

async function indexJournal(slice: JournalSlice): Promise<JournalIndex> {
  const index = createRecordIndex();
  const statuses = new Map<string, { readonly offset: number; readonly record: PublishedRecord }>();
  for await (const page of slice.pages()) {
    for (const { offset, record } of page) {
      if (record.type === 'stream.status') statuses.set(streamIdOf(record), { offset, record });
      else index.add(idOf(record), JSON.stringify(record.payload));
    }
  }
  for (const { record } of statuses.values()) index.add(idOf(record), JSON.stringify(record.payload));
  return { index, lastStatuses: new Map([...statuses].map(([stream, { offset }]) => [stream, offset])) };
}

/** Marks what lies in the topics, and where its first occurrence does. */
async function lookThrough(
  index: RecordIndex,
  {
    connection,
    topics,
    signal,
  }: { readonly connection: KafkaConnection; readonly topics: KafkaTopics; readonly signal: AbortSignal },
): Promise<{ readonly duplicates: number; readonly deadLetters: number }> {
  const names = [...new Set<string>(Object.values(topics))];
  let [read, duplicates, deadLetters] = [0, 0, 0];
  const messages = readTopics({ ...connection, topics: names, from: 'beginning', untilEnd: true, signal });
  for await (const message of messages) {
    // A key lies in one partition, which is read in order: so the count orders the messages of a key.
    read += 1;
    const id = `${message.headers['ce_source'] ?? ''} ${message.headers['ce_id'] ?? ''}`;
    const number = index.numberOf(id);
    if (number === undefined) continue;
    if (message.topic === topics.deadLetter) {
      if (index.mark(number, MARK.deadLetter)) deadLetters += 1;
      continue;
    }
    if (index.placeOf(number) === 0) index.setPlace(number, read);
    else duplicates += 1;
    if (index.hasPayload(number, message.value)) index.mark(number, MARK.samePayload);
  }
  return { duplicates, deadLetters };
}

async function tellDifferences(
  slice: JournalSlice,
  { index, lastStatuses, topics }: JournalIndex & { readonly topics: KafkaTopics },
  differences: Differences,
): Promise<void> {
  const lastPlaces = new Map<string, number>();
  for await (const page of slice.pages()) {
    for (const { offset, record } of page) {
      if (record.type === 'stream.status' && lastStatuses.get(streamIdOf(record)) !== offset) continue;
      const number = index.numberOf(idOf(record));
      if (number === undefined || !index.mark(number, MARK.looked)) continue;
      const topic = topics[record.type];
      const subject = recordIdOf(record);
      const place = index.placeOf(number);
      if (place === 0) {
        if (!index.isMarked(number, MARK.deadLetter))
          differences.add({ sink: 'kafka', problem: 'missing', subject, detail: `not in ${topic}` });
        continue;
      }
      if (!index.isMarked(number, MARK.samePayload))
        differences.add({
          sink: 'kafka',
          problem: 'payload',
          subject,
          detail: `another payload in ${topic}`,
        });
      const key = `${topic} ${streamIdOf(record)}`;
      const last = lastPlaces.get(key) ?? 0;
      if (place < last)
        differences.add({ sink: 'kafka', problem: 'order', subject, detail: `comes too early in ${topic}` });
      lastPlaces.set(key, Math.max(place, last));
    }
  }
}

function idOf(record: PublishedRecord): string {
  return `${sourceOf(record)} ${recordIdOf(record)}`;
}
