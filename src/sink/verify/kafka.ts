import { createHash } from 'node:crypto';
import { recordIdOf, streamIdOf, type PublishedRecord } from '../../core/records.ts';
import { sourceOf } from '../kafka/cloud-event.ts';
import { DEFAULT_TOPICS, type KafkaConnection, type KafkaTopics } from '../kafka/options.ts';
import { readTopics } from '../kafka/read-topics.ts';
import type { Difference, JournalContent, SinkComparison } from './types.ts';

interface Found {
  /** Place among the first occurrences of its topic and key. */
  readonly place: number;
  readonly digests: Set<string>;
}

/**
 * Every record of the journal must lie in its topic with the same payload, and first occurrences in the journal's
 * order per key. Of the status topic, which Kafka compacts, only the last status of each stream must be there.
 */
export async function compareWithKafka(
  content: JournalContent,
  connection: KafkaConnection & { readonly topics?: Partial<KafkaTopics> },
  signal: AbortSignal,
): Promise<SinkComparison> {
  const topics = { ...DEFAULT_TOPICS, ...connection.topics };
  const names = [...new Set<string>(Object.values(topics))];
  const found = new Map<string, Found>();
  const letters = new Set<string>();
  const places = new Map<string, number>();
  let duplicates = 0;
  for await (const message of readTopics({
    ...connection,
    topics: names,
    from: 'beginning',
    untilEnd: true,
    signal,
  })) {
    const id = `${message.headers['ce_source'] ?? ''} ${message.headers['ce_id'] ?? ''}`;
    if (message.topic === topics.deadLetter) {
      letters.add(id);
      continue;
    }
    const known = found.get(id);
    if (known) {
      duplicates++;
      known.digests.add(digestOf(message.value));
      continue;
    }
    const key = `${message.topic} ${message.key}`;
    const place = (places.get(key) ?? 0) + 1;
    places.set(key, place);
    found.set(id, { place, digests: new Set([digestOf(message.value)]) });
  }
  const records = expectedRecords(content.records);
  return {
    compared: records.length,
    undelivered: content.undelivered,
    duplicates,
    deadLetters: letters.size,
    differences: differencesOf(records, { found, letters, topics }),
  };
}

/** First occurrences of each identity; of each stream's status only the last. */
function expectedRecords(records: readonly PublishedRecord[]): readonly PublishedRecord[] {
  const expected = new Map<string, PublishedRecord>();
  for (const record of records) {
    const isStatus = record.type === 'stream.status';
    const id = isStatus ? `status ${streamIdOf(record)}` : idOf(record);
    if (isStatus || !expected.has(id)) expected.set(id, record);
  }
  return [...expected.values()];
}

function differencesOf(
  records: readonly PublishedRecord[],
  sink: {
    readonly found: ReadonlyMap<string, Found>;
    readonly letters: ReadonlySet<string>;
    readonly topics: KafkaTopics;
  },
): readonly Difference[] {
  const differences: Difference[] = [];
  const lastPlaces = new Map<string, number>();
  for (const record of records) {
    const id = idOf(record);
    const topic = sink.topics[record.type];
    const subject = recordIdOf(record);
    const hit = sink.found.get(id);
    if (!hit) {
      if (sink.letters.has(id)) continue;
      differences.push({ sink: 'kafka', problem: 'missing', subject, detail: `not in ${topic}` });
      continue;
    }
    if (!hit.digests.has(digestOf(JSON.stringify(record.payload)))) {
      differences.push({ sink: 'kafka', problem: 'payload', subject, detail: `another payload in ${topic}` });
    }
    const key = `${topic} ${streamIdOf(record)}`;
    if (hit.place < (lastPlaces.get(key) ?? 0)) {
      differences.push({ sink: 'kafka', problem: 'order', subject, detail: `comes too early in ${topic}` });
    }
    lastPlaces.set(key, Math.max(hit.place, lastPlaces.get(key) ?? 0));
  }
  return differences;
}

function idOf(record: PublishedRecord): string {
  return `${sourceOf(record)} ${recordIdOf(record)}`;
}

function digestOf(json: string): string {
  return createHash('sha256').update(json).digest('base64');
}
