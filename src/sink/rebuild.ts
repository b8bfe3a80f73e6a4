import { ActionstreamError } from '../core/errors.ts';
import type { PublishedRecord, RecordType } from '../core/records.ts';
import type { StoredRecord } from './event-sink.ts';
import { DEFAULT_TOPICS, type KafkaConnection, type KafkaTopics } from './kafka/options.ts';
import { readTopics } from './kafka/read-topics.ts';
import { checksumTables, type TableChecksum } from './postgres/checksum.ts';
import type { PostgresConnection } from './postgres/connection.ts';
import { createPostgresSink } from './postgres/postgres-sink.ts';
import { openJournalView } from './verify/journal-view.ts';

export type RebuildSource =
  | { readonly kind: 'journal'; readonly dir: string }
  | { readonly kind: 'kafka'; readonly kafka: KafkaConnection & { readonly topics?: Partial<KafkaTopics> } };

export interface RebuildOptions {
  readonly source: RebuildSource;
  readonly postgres: PostgresConnection;
  /** Adds to tables that hold rows. */
  readonly force?: boolean;
  readonly signal: AbortSignal;
}

export interface RebuildResult {
  /** Written, repetitions included. */
  readonly records: number;
  /** Messages that are no records of ours. */
  readonly skipped: number;
  /** Records of them that `prune` has deleted from this database before: they stay out. */
  readonly leftOut: number;
  /** Older records than these are no longer in the journal. */
  readonly firstOffset?: number;
  readonly tables: readonly TableChecksum[];
}

/**
 * Fills an empty database with what the journal or the topics still hold, through the sink
 * that wrote it first, so the rows are the same. Makes the schema where it is missing. Kafka
 * compacts the status topic: only the last status of each stream comes back from there.
 * @throws USAGE where the tables hold rows; JOURNAL_CORRUPT, KAFKA_…, POSTGRES_…
 */
export async function rebuildPostgres(options: RebuildOptions): Promise<RebuildResult> {
  const { source, postgres, signal } = options;
  await using sink = createPostgresSink({ ...postgres, autoMigrate: true });
  await sink.open(signal);
  if (!options.force) await demandEmpty(postgres);
  const reading = { skipped: 0, firstOffset: undefined as number | undefined };
  const pages =
    source.kind === 'journal'
      ? journalPages(source.dir, reading, signal)
      : topicPages(source.kafka, reading, signal);
  let records = 0;
  for await (const page of pages) {
    await sink.write(page, signal);
    records += page.length;
  }
  const { skipped, firstOffset } = reading;
  const tables = await checksumTables(postgres);
  return {
    records,
    skipped,
    leftOut: sink.leftOut ?? 0,
    ...(firstOffset !== undefined && { firstOffset }),
    tables,
  };
}

async function demandEmpty(postgres: PostgresConnection): Promise<void> {
  const full = (await checksumTables(postgres)).filter(({ rows }) => rows > 0).map(({ table }) => table);
  if (full.length === 0) return;
  throw new ActionstreamError(
    'USAGE',
    `the database holds rows in ${full.join(', ')}, and a rebuild fills an empty one; ` +
      'name another database with --postgres, or add to this one with --force (rows that are there stay)',
  );
}

interface Reading {
  skipped: number;
  firstOffset: number | undefined;
}

async function* journalPages(
  dir: string,
  reading: Reading,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredRecord[], void, undefined> {
  const view = await openJournalView(dir, { sinks: [], signal });
  reading.firstOffset = view.firstOffset;
  yield* view.pages();
}

const PAGE_RECORDS = 1000;

async function* topicPages(
  kafka: KafkaConnection & { readonly topics?: Partial<KafkaTopics> },
  reading: Reading,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredRecord[], void, undefined> {
  const names = { ...DEFAULT_TOPICS, ...kafka.topics };
  const topics = [...new Set(TYPES.map(([, type]) => names[type]))];
  let page: StoredRecord[] = [];
  for await (const message of readTopics({ ...kafka, topics, from: 'beginning', untilEnd: true, signal })) {
    const stored = toStoredRecord(message, page.length);
    if (stored) page.push(stored);
    else reading.skipped += 1;
    if (page.length < PAGE_RECORDS) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** By the type that the message names: topics may be shared. */
function toStoredRecord(
  { value, headers }: { readonly value: string; readonly headers: Readonly<Record<string, string>> },
  offset: number,
): StoredRecord | undefined {
  const type = TYPES.find(([pattern]) => pattern.test(headers['ce_type'] ?? ''))?.[1];
  const recordedAtMs = Date.parse(headers['ce_recordedtime'] ?? '');
  if (!type || Number.isNaN(recordedAtMs)) return undefined;
  try {
    const payload = JSON.parse(value) as PublishedRecord['payload'];
    return { offset, recordedAtMs, record: { type, payload } as PublishedRecord };
  } catch {
    return undefined;
  }
}

const TYPES: readonly (readonly [RegExp, RecordType])[] = [
  [/^io\.actionstream\.action\./, 'action.event'],
  [/^io\.actionstream\.clip\./, 'clip.stats'],
  [/^io\.actionstream\.stream\./, 'stream.status'],
];
