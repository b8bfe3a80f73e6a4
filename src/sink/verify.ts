import { openJournalReader } from './journal/reader.ts';
import type { KafkaConnection, KafkaTopics } from './kafka/options.ts';
import type { PostgresConnection } from './postgres/connection.ts';
import { journalSlice, type JournalSlice } from './verify/journal-slice.ts';
import { compareWithKafka } from './verify/kafka.ts';
import { compareWithPostgres } from './verify/postgres.ts';
import { createRecordIndex } from './verify/record-index.ts';
import type { Difference, SinkComparison } from './verify/types.ts';

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
  /** The first thousand of each sink; `sinks` counts all. */
  readonly differences: readonly Difference[];
}

/**
 * Compares what the journal still holds with what the sinks hold. Takes no lock, so a running instance may go on;
 * records that a sink has not yet received are counted as undelivered.
 * Memory: a page of records, and for each record of the journal about 50 bytes, however large it is and whatever else the sinks hold.
 * @throws INPUT_INVALID, JOURNAL_CORRUPT, KAFKA_…, POSTGRES_…
 */
export async function verifyDelivery(options: VerifyOptions): Promise<VerifyResult> {
  const reader = await openJournalReader(options.journalDir);
  const bounds = await reader.bounds();
  const sinks: Record<string, SinkComparison> = {};
  if (options.kafka) {
    const slice = await journalSlice(reader, bounds, 'kafka');
    sinks['kafka'] = await compareWithKafka(slice, options.kafka, options.signal);
  }
  if (options.postgres) {
    const slice = await journalSlice(reader, bounds, 'postgres');
    sinks['postgres'] = await compareWithPostgres(slice, options.postgres);
  }
  const episodes = await countEpisodes(await journalSlice(reader, bounds));
  const all = Object.values(sinks);
  return {
    consistent: all.every(({ differing, undelivered }) => differing === 0 && undelivered === 0),
    journal: { ...bounds, episodes },
    sinks,
    differences: all.flatMap((sink) => sink.differences),
  };
}

async function countEpisodes(slice: JournalSlice): Promise<number> {
  const episodes = createRecordIndex();
  for await (const page of slice.pages())
    for (const { record } of page)
      if (record.type === 'action.event') episodes.add(record.payload.episode_id);
  return episodes.size;
}
