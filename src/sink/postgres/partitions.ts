import type { PostgresPool } from './connection.ts';

/** Tables cut by time, and how: episodes are few, clips are many. */
const PARTITIONED = { action_events: 'month', clip_stats: 'day' } as const;

type PartitionedTable = keyof typeof PARTITIONED;

interface Partition {
  readonly name: string;
  readonly to: string;
}

/** Makes partitions for the times that records bring, whatever year they are from; remembers those it has seen. */
export interface Partitions {
  ensure(table: PartitionedTable, times: readonly string[]): Promise<void>;
  /** Another process may have dropped some. */
  forget(): void;
}

export function createPartitions(pool: PostgresPool): Partitions {
  const known = new Set<string>();
  return {
    async ensure(table, times) {
      for (const time of times) {
        const partition = partitionOf(table, time);
        if (!partition || known.has(partition.name)) continue;
        await pool.query('SELECT actionstream.ensure_partition($1, $2)', [table, time]);
        known.add(partition.name);
      }
    },
    forget() {
      known.clear();
    },
  };
}

/** Drops whole partitions that end before `before`; @returns their names. Never a bulk delete. */
export async function dropPartitionsOlderThan(
  pool: PostgresPool,
  table: PartitionedTable,
  before: Date,
): Promise<readonly string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = to_regclass('actionstream.${table}') ORDER BY 1`,
  );
  const old = rows.map(({ name }) => name).filter((name) => endOf(table, name) <= before.getTime());
  for (const name of old) await pool.query(`DROP TABLE IF EXISTS actionstream.${name}`);
  return old;
}

/** Undefined for a time that Postgres cannot hold: the insert will say so. */
function partitionOf(table: PartitionedTable, time: string): Partition | undefined {
  const date = new Date(time);
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) return undefined;
  const month = date.getUTCMonth();
  const isDay = PARTITIONED[table] === 'day';
  const day = isDay ? date.getUTCDate() : 1;
  const from = utcDay(year, month, day);
  const to = isDay ? utcDay(year, month, day + 1) : utcDay(year, month + 1, 1);
  const name = `${table}_${from.slice(0, isDay ? 10 : 7).replaceAll('-', '_')}`;
  return { name, to };
}

function utcDay(year: number, month: number, day: number): string {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  // Years of five digits are none of Postgres' notation: the last partition has no end.
  return date.getUTCFullYear() > 9999 ? 'infinity' : date.toISOString();
}

/** ms since 1970 at which the partition of this name ends; Infinity for a table that is none of ours. */
function endOf(table: PartitionedTable, name: string): number {
  const match = /^(\d{4})_(\d{2})(?:_(\d{2}))?$/.exec(name.slice(table.length + 1));
  if (!match) return Infinity;
  const [, year, month, day] = match.map(Number);
  const time = utcDay(year ?? 0, (month ?? 1) - 1, Number.isNaN(day ?? NaN) ? 1 : (day ?? 1));
  const partition = partitionOf(table, time);
  return partition ? Date.parse(partition.to) : Infinity;
}
