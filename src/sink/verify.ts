import { openJournalReader, type JournalReader } from './journal/reader.ts';
import type { KafkaConnection, KafkaTopics } from './kafka/options.ts';
import type { PostgresConnection } from './postgres/connection.ts';
import { compareWithKafka } from './verify/kafka.ts';
import { compareWithPostgres } from './verify/postgres.ts';
import type { Difference, JournalContent, SinkComparison } from './verify/types.ts';

export interface VerifyOptions {
  readonly journalDir: string;
  readonly kafka?: KafkaConnection & { readonly topics?: Partial<KafkaTopics> };
  readonly postgres?: PostgresConnection;
  readonly signal: AbortSignal;
}

export interface VerifyResult {
  /** No difference, and nothing that a sink has yet to receive. */
  readonly consistent: boolean;
  readonly journal: { readonly firstOffset: number; readonly nextOffset: number; readonly episodes: number };
  readonly sinks: Readonly<Record<string, SinkComparison>>;
  readonly differences: readonly Difference[];
}

/**
 * Compares what the journal still holds with what the sinks hold. Takes no lock, so a running instance may go on;
 * records that a sink has not yet received are counted as undelivered.
 * @throws INPUT_INVALID, JOURNAL_CORRUPT, KAFKA_…, POSTGRES_…
 */
export async function verifyDelivery(options: VerifyOptions): Promise<VerifyResult> {
  const reader = await openJournalReader(options.journalDir);
  const bounds = await reader.bounds();
  const sinks: Record<string, SinkComparison> = {};
  if (options.kafka) {
    const content = await readContent(reader, { ...bounds, consumer: 'kafka' });
    sinks['kafka'] = await compareWithKafka(content, options.kafka, options.signal);
  }
  if (options.postgres) {
    const content = await readContent(reader, { ...bounds, consumer: 'postgres' });
    sinks['postgres'] = await compareWithPostgres(content, options.postgres);
  }
  const { episodes } = await readContent(reader, bounds);
  const differences = Object.values(sinks).flatMap((sink) => sink.differences);
  const undelivered = Object.values(sinks).reduce((sum, sink) => sum + sink.undelivered, 0);
  return {
    consistent: differences.length === 0 && undelivered === 0,
    journal: { ...bounds, episodes: episodes.size },
    sinks,
    differences,
  };
}

/** Records that the consumer has passed, in order. */
async function readContent(
  reader: JournalReader,
  bounds: { readonly firstOffset: number; readonly nextOffset: number; readonly consumer?: string },
): Promise<JournalContent> {
  const { firstOffset, nextOffset, consumer } = bounds;
  const checkpoint = consumer === undefined ? nextOffset : ((await reader.checkpointOf(consumer)) ?? 0);
  const end = Math.min(nextOffset, checkpoint);
  const content: JournalContent = {
    records: [],
    episodes: new Map(),
    undelivered: nextOffset - Math.max(end, firstOffset),
  };
  for (let offset = firstOffset; offset < end;) {
    const records = await reader.read(offset, Math.min(1000, end - offset));
    const last = records.at(-1);
    if (!last) break;
    for (const { record } of records) {
      content.records.push(record);
      if (record.type !== 'action.event') continue;
      const { payload } = record;
      const known = content.episodes.get(payload.episode_id);
      if (!known || payload.sequence >= known.sequence) content.episodes.set(payload.episode_id, payload);
    }
    offset = last.offset + 1;
  }
  return content;
}
