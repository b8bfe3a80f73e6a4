import type { StoredRecord } from '../event-sink.ts';
import type { PostgresConnection } from '../postgres/connection.ts';
import { readPrunings, type PruningRow } from '../postgres/prunings.ts';
import { openPostgresReader, type PostgresReader } from '../postgres/reader.ts';
import { isRepeated } from '../postgres/rows.ts';
import { createDifferences } from './differences.ts';
import type { JournalView } from './journal-view.ts';
import { DeadLetters } from './postgres-dead-letters.ts';
import { findUnknownRows } from './postgres-unknown.ts';
import { RowComparison } from './postgres-compare.ts';
import { StreamStates } from './postgres-streams.ts';
import { TYPES, type Survey } from './survey.ts';
import type { SinkComparison } from './types.ts';

/**
 * Every record of the journal must have its row, column by column: an episode the last
 * of its events, clips and statuses one row each, a stream its last state. A repeated state
 * has no row. A row that claims to come from this journal, which does not hold it, is unknown
 * (provenance.ts). A dead letter excuses a row only where the table could not take the record.
 */
export async function compareWithPostgres(
  { survey, view }: { readonly survey: Survey; readonly view: JournalView },
  connection: PostgresConnection,
): Promise<SinkComparison> {
  await using reader = await openPostgresReader(connection);
  const differences = createDifferences();
  const migratedAt = await migrationTimeOf(reader);
  const prunings = await readPrunings((sql) => reader.query<PruningRow>(sql, []));
  const comparison = new RowComparison({ survey, reader, differences, prunings, migratedAt });
  const states = new StreamStates();
  let deadLetters = 0;
  for await (const page of view.pages()) {
    const letters = await DeadLetters.of(reader, page);
    deadLetters += letters.size;
    const written = page.filter(({ record }) => !isRepeated(record));
    for (const type of TYPES) await comparison.add(type, written.filter(isOfType(type)), letters);
    for (const stored of page)
      if (stored.record.type === 'stream.status') states.add(stored, comparison.isDue(stored));
  }
  comparison.finish();
  await states.compare({ survey, view, reader, differences });
  const foreign = await findUnknownRows({ survey, view, comparison, connection, differences, migratedAt });
  return {
    compared: comparison.compared,
    undelivered: survey.undelivered.postgres,
    duplicates: 0,
    deadLetters,
    expired: comparison.expired,
    foreign,
    differing: differences.count,
    differences: differences.first,
  };
}

/** Rows that were there before the tables had `recorded_at` bear this time in it. */
async function migrationTimeOf(reader: PostgresReader): Promise<string> {
  const [row] = await reader.query<{ at: Date | null }>(
    'SELECT applied_at AS at FROM actionstream.schema_migrations WHERE version = 5',
    [],
  );
  return row?.at?.toISOString() ?? '';
}

function isOfType(type: StoredRecord['record']['type']): (stored: StoredRecord) => boolean {
  return ({ record }) => record.type === type;
}
