import { createDatabase, type PostgresConnection, type PostgresDatabase } from './connection.ts';

/** Tables cut by time, and how: episodes are few, clips are many. */
const PARTITIONED = { action_events: 'month', clip_stats: 'day' } as const;

export type PartitionedTable = keyof typeof PARTITIONED;

/**
 * Makes partitions for the times that records bring, whatever year they are
 * from; remembers those it has seen.
 */
export interface Partitions {
  ensure(table: PartitionedTable, times: readonly string[], signal: AbortSignal): Promise<void>;
  /** Another process may have dropped some. */
  forget(): void;
}

/** The schema's own function makes them (migration 5): a writer needs no right to create tables. */
export function createPartitions(database: PostgresDatabase): Partitions {
  const known = new Set<string>();
  return {
    async ensure(table, times, signal) {
      for (const time of times) {
        const name = partitionOf(table, time);
        if (name === undefined || known.has(name)) continue;
        await database.transaction(
          (client) => client.query('SELECT actionstream.ensure_partition($1, $2)', [table, time]),
          { signal },
        );
        known.add(name);
      }
    },
    forget() {
      known.clear();
    },
  };
}

/** Makes the partitions of both tables for these times, ms since 1970. */
export async function makePartitionsAhead(
  connection: PostgresConnection,
  timesMs: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  const database = createDatabase(connection, { max: 1 });
  const partitions = createPartitions(database);
  const times = timesMs.map((ms) => new Date(ms).toISOString());
  try {
    await partitions.ensure('action_events', times, signal);
    await partitions.ensure('clip_stats', times, signal);
  } finally {
    await database.end();
  }
}

export interface Partition {
  readonly name: string;
  /** ms since 1970; Infinity for a table that is none of ours. */
  readonly endMs: number;
}

/**
 * The start of the partition that holds the time: whatever lies before it, lies
 * in partitions that end by then.
 */
export function partitionStart(table: PartitionedTable, date: Date): number {
  const day = PARTITIONED[table] === 'day' ? date.getUTCDate() : 1;
  return new Date(0).setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth(), day);
}

/** Those that a table has, oldest first. */
export async function listPartitions(
  database: PostgresDatabase,
  table: PartitionedTable,
): Promise<readonly Partition[]> {
  const { rows } = await database.transaction(
    (client) =>
      client.query<{ name: string }>(
        `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
          WHERE i.inhparent = to_regclass('actionstream.${table}') ORDER BY 1`,
      ),
    { access: 'read' },
  );
  return rows.map(({ name }) => ({ name, endMs: endOf(table, name) }));
}

/** Undefined for a time that Postgres cannot hold: the insert will say so. */
function partitionOf(table: PartitionedTable, time: string): string | undefined {
  const date = new Date(time);
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) return undefined;
  const characters = PARTITIONED[table] === 'day' ? 10 : 7;
  return `${table}_${date.toISOString().slice(0, characters).replaceAll('-', '_')}`;
}

function endOf(table: PartitionedTable, name: string): number {
  const match = /^(\d{4})_(\d{2})(?:_(\d{2}))?$/.exec(name.slice(table.length + 1));
  if (!match) return Infinity;
  const [year = 0, month = 1, day] = match.slice(1).filter(Boolean).map(Number);
  const end = new Date(0);
  if (day === undefined) end.setUTCFullYear(year, month, 1);
  else end.setUTCFullYear(year, month - 1, day + 1);
  return end.getTime();
}
