import { DEFAULT_TOPICS, type KafkaConnection, type KafkaTopics } from '../kafka/options.ts';
import { readTopics } from '../kafka/read-topics.ts';
import { createDifferences } from './differences.ts';
import type { JournalView } from './journal-view.ts';
import { logStartsOf } from './kafka-bounds.ts';
import { KafkaMessages } from './kafka-messages.ts';
import { judgePlaces } from './kafka-places.ts';
import type { Survey } from './survey.ts';
import type { SinkComparison } from './types.ts';

/**
 * Every record of the journal must lie in its topic, and every copy of it must have its
 * contents, key and headers. First copies must come in the journal's order per key and
 * partition: a key changes its partition where some were added. Of the status topic,
 * which Kafka compacts, only the last status of each stream must be there. A message that
 * claims to come from this journal, which does not hold it, is unknown (provenance.ts).
 */
export async function compareWithKafka(
  { survey, view }: { readonly survey: Survey; readonly view: JournalView },
  connection: KafkaConnection & { readonly topics?: Partial<KafkaTopics> },
  signal: AbortSignal,
): Promise<SinkComparison> {
  const topics = { ...DEFAULT_TOPICS, ...connection.topics };
  const names = [...new Set<string>(Object.values(topics))];
  const differences = createDifferences();
  // Before the topics are read: what is removed while we read is then reported as expired at the next look.
  const logStarts = await logStartsOf(connection, names);
  const messages = new KafkaMessages({ survey, view, topics, differences });
  for await (const message of readTopics({
    ...connection,
    topics: names,
    from: 'beginning',
    untilEnd: true,
    signal,
  }))
    await messages.add(message);
  const { compared, expired } = await judgePlaces({ survey, view, topics, logStarts, messages, differences });
  const { duplicates, deadLetters, foreign } = messages;
  return {
    ...{ compared, undelivered: survey.undelivered.kafka, duplicates, deadLetters, expired, foreign },
    differing: differences.count,
    differences: differences.first,
  };
}
