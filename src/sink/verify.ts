import type { KafkaConnection, KafkaTopics } from './kafka/options.ts';
import type { PostgresConnection } from './postgres/connection.ts';
import { openJournalView, type TimeRange } from './verify/journal-view.ts';
import { compareWithKafka } from './verify/kafka.ts';
import { compareWithPostgres } from './verify/postgres.ts';
import { Survey, type SinkName } from './verify/survey.ts';
import type { Difference, SinkComparison } from './verify/types.ts';

export interface VerifyOptions {
  readonly journalDir: string;
  readonly kafka?: KafkaConnection & { readonly topics?: Partial<KafkaTopics> };
  readonly postgres?: PostgresConnection;
  /** Only records journalled in this time. Default: all. */
  readonly range?: TimeRange;
  /** false: the journal was put aside, and another one serves its streams now. Default true. */
  readonly isCurrent?: boolean;
  readonly signal: AbortSignal;
}

export interface VerifyResult {
  /** No difference, and nothing that a sink has yet to receive. */
  readonly consistent: boolean;
  readonly journal: {
    readonly firstOffset: number;
    readonly nextOffset: number;
    readonly episodes: number;
    /** Records in between that are damaged and cannot be read. */
    readonly lost: number;
  };
  readonly sinks: Readonly<Record<string, SinkComparison>>;
  /** The first thousand of each sink; `sinks` counts all. */
  readonly differences: readonly Difference[];
}

/**
 * Compares what the journal still holds with what the sinks hold, record by record and field
 * by field. Takes no lock, so a running instance may go on; records that a sink has not yet
 * received are counted as undelivered. Memory: some pages of records, and for each record of
 * the journal about 70 bytes, however large it is and whatever else the sinks hold.
 * @throws INPUT_INVALID, JOURNAL_CORRUPT, KAFKA_…, POSTGRES_…
 */
export async function verifyDelivery(options: VerifyOptions): Promise<VerifyResult> {
  const { journalDir, kafka, postgres, signal, isCurrent = true } = options;
  const { range = { fromMs: -Infinity, toMs: Infinity } } = options;
  const view = await openJournalView(journalDir, { sinks: ['kafka', 'postgres'], signal });
  const survey = new Survey(view, { range, isCurrent });
  await survey.read();
  const { firstOffset, nextOffset } = view;
  const journal = { firstOffset, nextOffset, episodes: survey.episodes, lost: survey.provenance.lost };
  const sinks: Partial<Record<SinkName, SinkComparison>> = {};
  if (kafka) sinks.kafka = await compareWithKafka({ survey, view }, kafka, signal);
  if (postgres) sinks.postgres = await compareWithPostgres({ survey, view }, postgres);
  const all = Object.values(sinks);
  return {
    consistent: all.every(({ differing, undelivered }) => differing === 0 && undelivered === 0),
    journal,
    sinks,
    differences: all.flatMap((sink) => sink.differences),
  };
}
