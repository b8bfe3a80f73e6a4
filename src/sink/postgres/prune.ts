import { createPool, toPostgresError, type PostgresConnection } from './connection.ts';
import { dropPartitionsOlderThan } from './partitions.ts';

/** What to keep: whole partitions that end before these times are dropped; a time left out keeps everything. */
export interface PruneOptions {
  readonly eventsBefore?: Date;
  readonly clipStatsBefore?: Date;
}

/** Retention without bulk deletes: a month of events or a day of statistics goes with one DROP. @returns dropped tables */
export async function pruneDatabase(
  connection: PostgresConnection,
  { eventsBefore, clipStatsBefore }: PruneOptions,
): Promise<readonly string[]> {
  const pool = createPool(connection, { max: 1 });
  try {
    const events = eventsBefore ? await dropPartitionsOlderThan(pool, 'action_events', eventsBefore) : [];
    const stats = clipStatsBefore ? await dropPartitionsOlderThan(pool, 'clip_stats', clipStatsBefore) : [];
    return [...events, ...stats];
  } catch (error) {
    throw toPostgresError(error, connection);
  } finally {
    await pool.end();
  }
}
