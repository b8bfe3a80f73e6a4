import { createDatabase, type PostgresConnection } from './connection.ts';
import { toPostgresError } from './errors.ts';
import { checkSchema } from './migrate.ts';
import { COLUMNS, STATUS_COLUMNS } from './rows.ts';

export interface TableChecksum {
  readonly table: string;
  readonly rows: number;
  /** 32 hexadecimal digits: equal for equal rows, whatever their order and partitions. */
  readonly checksum: string;
}

/** What the sink writes; not when a row was inserted. */
const TABLES: Readonly<Record<string, readonly string[]>> = {
  action_events: Object.keys(COLUMNS['action.event']),
  clip_stats: Object.keys(COLUMNS['clip.stats']),
  stream_status: Object.keys(STATUS_COLUMNS),
  stream_gaps: ['status_id', 'stream_id', 'run_id', 'from_at', 'to_at', 'reason', 'recorded_at'],
  streams: [
    ...['stream_id', 'state', 'state_reason', 'state_at', 'instance'],
    ...['valid_until', 'name', 'site', 'tags', 'location'],
  ],
  dead_letters: ['record_id', 'record_type', 'reason', 'payload'],
};

/** A large table is read whole. */
const TABLE_TIMEOUT_MS = 60 * 60_000;

/** Each row's MD5, in two halves that are added up modulo 2^64. @throws POSTGRES_…, SCHEMA_OUTDATED */
export async function checksumTables(connection: PostgresConnection): Promise<readonly TableChecksum[]> {
  const database = createDatabase({ ...connection, statementTimeoutMs: TABLE_TIMEOUT_MS }, { max: 1 });
  try {
    await checkSchema(database);
    // The text of a value depends on no setting of the role or the server: every transaction sees to that.
    return await database.transaction(
      async (client) => {
        const checksums: TableChecksum[] = [];
        for (const [table, columns] of Object.entries(TABLES)) {
          const { rows } = await client.query<Sums>(statementOf(table, columns));
          checksums.push(toChecksum(table, rows[0] ?? NO_ROWS));
        }
        return checksums;
      },
      { access: 'read', isSnapshot: true },
    );
  } catch (error) {
    throw toPostgresError(error, connection);
  } finally {
    await database.end();
  }
}

interface Sums {
  readonly rows: string;
  readonly high: string;
  readonly low: string;
}

const NO_ROWS: Sums = { rows: '0', high: '0', low: '0' };

function statementOf(table: string, columns: readonly string[]): string {
  const half = (from: number): string =>
    `coalesce(sum(('x' || substr(md5, ${from}, 16))::bit(64)::bigint::numeric), 0)::text`;
  return `
    SELECT count(*)::text AS rows, ${half(1)} AS high, ${half(17)} AS low
      FROM (SELECT md5(ROW(${columns.join(', ')})::text) AS md5 FROM actionstream.${table}) AS hashed`;
}

function toChecksum(table: string, { rows, high, low }: Sums): TableChecksum {
  const hex = (sum: string): string => BigInt.asUintN(64, BigInt(sum)).toString(16).padStart(16, '0');
  return { table, rows: Number(rows), checksum: `${hex(high)}${hex(low)}` };
}
