import type { StoredRecord } from '../event-sink.ts';
import type { PostgresClient } from './connection.ts';

/**
 * Rows dated before this have times of a file, not of the world: files without `start_time` begin at 1970.
 */
export const FILE_TIME_UNTIL = Date.UTC(1971, 0, 1);

export type PrunedTable = 'action_events' | 'clip_stats' | 'stream_status' | 'stream_gaps' | 'dead_letters';

/**
 * Rows of a table dated `[timeFrom, timeBefore)` that were recorded before `recordedBefore`, ms since 1970.
 */
export interface Pruning {
  readonly table: PrunedTable;
  readonly timeFrom: number;
  readonly timeBefore: number;
  readonly recordedBefore: number;
}

/** What `prune` has deleted so far: those rows stay away, and nobody misses them. */
export class Prunings {
  readonly #prunings: readonly Pruning[];

  constructor(prunings: readonly Pruning[]) {
    this.#prunings = prunings;
  }

  /** Was the record's row deleted, if there was one? */
  covers({ record, recordedAtMs }: StoredRecord): boolean {
    switch (record.type) {
      case 'action.event': {
        const { started_at: at, time } = record.payload;
        return this.#has('action_events', Date.parse(at), Date.parse(time.processed_at));
      }
      case 'clip.stats':
        return this.#has('clip_stats', Date.parse(record.payload.clip_start), recordedAtMs);
      case 'stream.status':
        return this.#has('stream_status', 0, recordedAtMs);
    }
  }

  /** May a dead letter of the record have been deleted? */
  coversLetter({ recordedAtMs }: StoredRecord): boolean {
    return this.#has('dead_letters', 0, recordedAtMs);
  }

  #has(table: PrunedTable, atMs: number, recordedMs: number): boolean {
    return this.#prunings.some(
      (pruning) =>
        pruning.table === table &&
        pruning.timeFrom <= atMs &&
        atMs < pruning.timeBefore &&
        recordedMs < pruning.recordedBefore,
    );
  }
}

/** @param query of a reader or a client */
export async function readPrunings(
  query: (sql: string) => Promise<readonly PruningRow[]>,
): Promise<Prunings> {
  const rows = await query(
    'SELECT table_name AS "table", time_from, time_before, recorded_before FROM actionstream.prunings',
  );
  // The driver gives `infinity` as a number.
  const prunings = rows.map(({ table, time_from, time_before, recorded_before }) => ({
    table,
    timeFrom: Number(time_from),
    timeBefore: Number(time_before),
    recordedBefore: Number(recorded_before),
  }));
  return new Prunings(prunings);
}

/**
 * Before the first row goes: whoever looks meanwhile misses none. An earlier
 * pruning that this one includes is forgotten.
 */
export async function notePrunings(client: PostgresClient, prunings: readonly Pruning[]): Promise<void> {
  for (const { table, timeFrom, timeBefore, recordedBefore } of prunings) {
    const values = [table, toTimestamp(timeFrom), toTimestamp(timeBefore), toTimestamp(recordedBefore)];
    await client.query(
      `DELETE FROM actionstream.prunings
        WHERE table_name = $1 AND time_from = $2::timestamptz AND time_before <= $3::timestamptz
              AND recorded_before <= $4::timestamptz`,
      values,
    );
    await client.query('INSERT INTO actionstream.prunings VALUES ($1, $2, $3, $4)', values);
  }
}

export interface PruningRow {
  readonly table: PrunedTable;
  readonly time_from: Date | number;
  readonly time_before: Date | number;
  readonly recorded_before: Date | number;
}

function toTimestamp(ms: number): string {
  if (Number.isFinite(ms)) return new Date(ms).toISOString();
  return ms < 0 ? '-infinity' : 'infinity';
}
