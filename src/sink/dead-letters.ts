import { recordIdOf, type PublishedRecord, type RecordType } from '../core/records.ts';
import type { EventSink, StoredRecord } from './event-sink.ts';
import { DEFAULT_TOPICS, type KafkaConnection, type KafkaTopics } from './kafka/options.ts';
import { readTopics } from './kafka/read-topics.ts';
import type { PostgresDatabase } from './postgres/connection.ts';
import { openJournalView } from './verify/journal-view.ts';

/** A record that a sink could never accept, as it lies there. */
export interface DeadLetter {
  readonly sink: 'kafka' | 'postgres';
  readonly record_id: string;
  readonly type: RecordType;
  readonly reason: string;
  /** When the record was journalled (Kafka) or refused (Postgres). */
  readonly at: string;
  /** The payload as JSON; of Kafka its first 8192 characters, since its size may be what was refused. */
  readonly payload: string;
}

/** The letters in Kafka's topic of dead letters, oldest first of a partition. @throws KAFKA_… */
export async function* readKafkaLetters(
  connection: KafkaConnection & { readonly topics?: Partial<KafkaTopics> },
  signal: AbortSignal,
): AsyncGenerator<DeadLetter, void, undefined> {
  const topic = connection.topics?.deadLetter ?? DEFAULT_TOPICS.deadLetter;
  const options = { ...connection, topics: [topic], from: 'beginning', untilEnd: true, signal } as const;
  for await (const { value, headers } of readTopics(options)) {
    const { record_id, type, reason, head } = JSON.parse(value) as {
      readonly [name in 'record_id' | 'reason' | 'head']: string;
    } & { readonly type: RecordType };
    yield { sink: 'kafka', record_id, type, reason, at: headers['ce_recordedtime'] ?? '', payload: head };
  }
}

/** The rows of `dead_letters`, oldest first. @throws POSTGRES_… */
export async function readPostgresLetters(database: PostgresDatabase): Promise<readonly DeadLetter[]> {
  const { rows } = await database.transaction(
    (client) =>
      client.query<{ record_id: string; record_type: RecordType; reason: string; at: Date; payload: string }>(
        `SELECT record_id, record_type, reason, received_at AS at, payload
           FROM actionstream.dead_letters ORDER BY id`,
      ),
    { access: 'read' },
  );
  return rows.map(({ record_id, record_type: type, reason, at, payload }) => ({
    ...{ sink: 'postgres' as const, record_id, type, reason, at: at.toISOString(), payload },
  }));
}

/** The records of these ids that the journal still holds. @throws JOURNAL_CORRUPT */
export async function findInJournal(
  dir: string,
  ids: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, StoredRecord>> {
  const found = new Map<string, StoredRecord>();
  const view = await openJournalView(dir, { sinks: [], signal });
  for await (const page of view.pages()) {
    for (const stored of page) {
      const id = recordIdOf(stored.record);
      if (ids.has(id)) found.set(id, stored);
    }
  }
  return found;
}

/** A letter of Postgres is whole: its record can be made again where the journal has lost it. */
export function recordOf(letter: DeadLetter, offset: number): StoredRecord {
  const record = { type: letter.type, payload: JSON.parse(letter.payload) as unknown } as PublishedRecord;
  return { offset, recordedAtMs: Date.parse(letter.at), record };
}

/**
 * Sends records to Postgres again, and takes away the letters of those that it accepts now. Written twice:
 * a record that is refused again makes its letter anew, and a crash in between loses no accepted record.
 * @returns how many of them are refused again
 */
export async function replayToPostgres(
  { sink, database }: { readonly sink: EventSink; readonly database: PostgresDatabase },
  records: readonly StoredRecord[],
  signal: AbortSignal,
): Promise<number> {
  const ids = records.map(({ record }) => recordIdOf(record));
  await sink.write(records, signal);
  await database.transaction((client) =>
    client.query('DELETE FROM actionstream.dead_letters WHERE record_id = ANY($1::text[])', [ids]),
  );
  await sink.write(records, signal);
  const { rowCount } = await database.transaction(
    (client) =>
      client.query('SELECT FROM actionstream.dead_letters WHERE record_id = ANY($1::text[])', [ids]),
    { access: 'read' },
  );
  return rowCount ?? 0;
}
