import { createDatabase, type PostgresConnection, type PostgresDatabase } from './connection.ts';
import { toPostgresError } from './errors.ts';
import { listPartitions, partitionStart, type PartitionedTable } from './partitions.ts';
import { FILE_TIME_UNTIL, notePrunings, type PrunedTable, type Pruning } from './prunings.ts';

/** What to keep: what is older than these times goes; a time left out keeps everything. */
export interface PruneOptions {
  readonly eventsBefore?: Date;
  readonly clipStatsBefore?: Date;
  /** Of stream status and gaps. */
  readonly statusBefore?: Date;
  readonly deadLettersBefore?: Date;
}

/** Ages in ms after which history goes; one left out keeps everything. */
export interface Retention {
  readonly eventsMs?: number | undefined;
  readonly clipStatsMs?: number | undefined;
  readonly statusMs?: number | undefined;
  readonly deadLettersMs?: number | undefined;
}

export function pruneOptionsOf(
  { eventsMs, clipStatsMs, statusMs, deadLettersMs }: Retention,
  nowMs: number,
): PruneOptions {
  const before = (age: number): Date => new Date(nowMs - age);
  return {
    ...(eventsMs !== undefined && { eventsBefore: before(eventsMs) }),
    ...(clipStatsMs !== undefined && { clipStatsBefore: before(clipStatsMs) }),
    ...(statusMs !== undefined && { statusBefore: before(statusMs) }),
    ...(deadLettersMs !== undefined && { deadLettersBefore: before(deadLettersMs) }),
  };
}

export interface PruneResult {
  /** Partitions, each a month of events or a day of statistics. */
  readonly dropped: readonly string[];
  /** Rows deleted, by table. */
  readonly deleted: Readonly<Record<string, number>>;
}

/** A batch of a deletion: 16 MB of table at the usual block size. */
const BLOCKS = 2000;
/** A drop waits no longer for readers, since whoever comes after it waits behind it. */
const LOCK_TIMEOUT_MS = 5000;

/**
 * Retention. Whole partitions are dropped by the time of their events. Partitions of file
 * time, and tables that have none, lose the rows that were recorded before the given time,
 * in batches that each lock only their own rows. What goes is noted first (prunings.ts).
 * @param signal ends it between two batches or by cancelling one
 */
export async function pruneDatabase(
  connection: PostgresConnection,
  options: PruneOptions,
  signal?: AbortSignal,
): Promise<PruneResult> {
  const { eventsBefore, clipStatsBefore, statusBefore, deadLettersBefore } = options;
  const database = createDatabase(connection, { max: 1 });
  const dropped: string[] = [];
  const deleted: Record<string, number> = {};
  const deleteRows = async (table: string, column: string, before: Date): Promise<void> => {
    deleted[table] = await deleteBefore(database, { table, column, before }, signal);
  };
  const prunePartitions = async (table: PartitionedTable, column: string, before: Date): Promise<void> => {
    for (const { name, endMs } of await listPartitions(database, table)) {
      if (endMs <= FILE_TIME_UNTIL) await deleteRows(name, column, before);
      else if (endMs <= before.getTime()) {
        await dropPartition(database, name, signal);
        dropped.push(name);
      }
    }
  };
  try {
    await database.transaction((client) => notePrunings(client, prunings(options, Date.now())), {
      ...(signal && { signal }),
    });
    if (eventsBefore) await prunePartitions('action_events', 'processed_at', eventsBefore);
    if (clipStatsBefore) await prunePartitions('clip_stats', 'recorded_at', clipStatsBefore);
    if (statusBefore) {
      await deleteRows('stream_status', 'recorded_at', statusBefore);
      await deleteRows('stream_gaps', 'recorded_at', statusBefore);
    }
    if (deadLettersBefore) await deleteRows('dead_letters', 'received_at', deadLettersBefore);
    return { dropped, deleted };
  } catch (error) {
    throw toPostgresError(error, connection, 'prune as the role that owns schema actionstream');
  } finally {
    await database.end();
  }
}

function prunings(options: PruneOptions, nowMs: number): readonly Pruning[] {
  const { eventsBefore, clipStatsBefore, statusBefore, deadLettersBefore } = options;
  return [
    ...(eventsBefore ? partitionPrunings('action_events', eventsBefore, nowMs) : []),
    ...(clipStatsBefore ? partitionPrunings('clip_stats', clipStatsBefore, nowMs) : []),
    ...(statusBefore
      ? [rowPruning('stream_status', statusBefore), rowPruning('stream_gaps', statusBefore)]
      : []),
    ...(deadLettersBefore ? [rowPruning('dead_letters', deadLettersBefore)] : []),
  ];
}

/** File time by when it was recorded; of the world's time the partitions that are there now. */
function partitionPrunings(table: PartitionedTable, before: Date, nowMs: number): readonly Pruning[] {
  const worldUntil = partitionStart(table, before);
  const ofFiles = { ...rowPruning(table, before), timeBefore: FILE_TIME_UNTIL };
  if (worldUntil <= FILE_TIME_UNTIL) return [ofFiles];
  return [ofFiles, { table, timeFrom: FILE_TIME_UNTIL, timeBefore: worldUntil, recordedBefore: nowMs }];
}

function rowPruning(table: PrunedTable, before: Date): Pruning {
  return { table, timeFrom: -Infinity, timeBefore: Infinity, recordedBefore: before.getTime() };
}

async function dropPartition(
  database: PostgresDatabase,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await database.transaction((client) => client.query(`DROP TABLE IF EXISTS actionstream.${name}`), {
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    ...(signal && { signal }),
  });
}

/** Block by block, so that each batch reads only its own part of the table and needs no index. */
async function deleteBefore(
  database: PostgresDatabase,
  { table, column, before }: { readonly table: string; readonly column: string; readonly before: Date },
  signal: AbortSignal | undefined,
): Promise<number> {
  const blocks = await blocksOf(database, table);
  let deleted = 0;
  for (let first = 0; first < blocks; first += BLOCKS) {
    const { rowCount } = await database.transaction(
      (client) =>
        client.query(
          `DELETE FROM actionstream.${table} WHERE ctid >= $1::tid AND ctid < $2::tid AND ${column} < $3`,
          [`(${first},0)`, `(${first + BLOCKS},0)`, before],
        ),
      { ...(signal && { signal }) },
    );
    deleted += rowCount ?? 0;
  }
  return deleted;
}

async function blocksOf(database: PostgresDatabase, table: string): Promise<number> {
  const { rows } = await database.transaction(
    (client) =>
      client.query<{ blocks: number }>(
        `SELECT pg_relation_size($1::regclass) / current_setting('block_size')::bigint AS blocks`,
        [`actionstream.${table}`],
      ),
    { access: 'read' },
  );
  return rows[0]?.blocks ?? 0;
}
