import { leavesOf } from '../../core/fields.ts';
import { RECORD_KINDS } from '../../core/record-fields.ts';
import { recordIdOf, type PublishedRecord, type RecordType } from '../../core/records.ts';
import type { StoredRecord } from '../event-sink.ts';
import { sqlStateOf } from '../postgres/errors.ts';
import type { PostgresReader } from '../postgres/reader.ts';
import { COLUMNS, rowOf, STATUS_COLUMNS, type Columns, type Row } from '../postgres/rows.ts';

/** What differs between two runs of a file: the first run's row stays. */
const RUN_COLUMNS: readonly string[] = [
  ...Object.values(RECORD_KINDS)
    .flatMap(({ fields }) => leavesOf(fields))
    .filter(({ field }) => field.isPerRun)
    .map(({ column }) => column),
  ...['recorded_at', 'pipeline_instance'],
];

/**
 * The row that a record makes, as a query gives it: absent values left out. Of
 * an interval that nobody watched, the row of `stream_gaps` is part of it.
 */
export function expectedRow({ record, recordedAtMs }: StoredRecord): Row {
  const row = compact(rowOf(record, recordedAtMs));
  return row['gap_from'] === undefined ? row : { ...row, ...gapColumns(row) };
}

/** Leaves out what another run of the same file would give anew. */
export function withoutRunColumns(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !RUN_COLUMNS.includes(name)));
}

const CLIP_KEY = ['stream_id', 'run_id', 'clip_start', 'clip_seq'] as const;

/** The key under which a table holds a record; of an event, its episode. */
export function tableKeyOf(type: RecordType, row: Row): string {
  if (type === 'action.event') return String(row['episode_id']);
  if (type === 'stream.status') return String(row['status_id']);
  return CLIP_KEY.map((name) => String(row[name])).join(' ');
}

/**
 * The rows that a table holds for these expected rows, by table key. A record that Postgres
 * cannot even be asked for, such as one with a zero character in a name, has none.
 */
export async function rowsLike(
  reader: PostgresReader,
  type: RecordType,
  expected: readonly Row[],
): Promise<ReadonlyMap<string, readonly Row[]>> {
  const found = new Map<string, Row[]>();
  if (expected.length === 0) return found;
  try {
    for (const values of await reader.query<Row>(LOOKUPS[type], lookupOf(type, expected))) {
      const row = compact(values);
      const key = tableKeyOf(type, row);
      const others = found.get(key);
      // Only an episode may have several rows; a clip that the journal holds twice is found twice.
      if (others && type === 'action.event') others.push(row);
      else found.set(key, [row]);
    }
    return found;
  } catch (error) {
    if (!isUnaskable(error)) throw error;
    if (expected.length === 1) return found;
    const middle = expected.length >>> 1;
    const first = await rowsLike(reader, type, expected.slice(0, middle));
    const second = await rowsLike(reader, type, expected.slice(middle));
    return new Map([...first, ...second]);
  }
}

/** The keys alone; of clips the time that they span as well, so that few partitions are looked at. */
function lookupOf(type: RecordType, expected: readonly Row[]): readonly unknown[] {
  if (type !== 'clip.stats') {
    const name = type === 'action.event' ? 'episode_id' : 'status_id';
    return [JSON.stringify(expected.map((row) => ({ [name]: row[name] })))];
  }
  const keys = expected.map((row) => Object.fromEntries(CLIP_KEY.map((name) => [name, row[name]])));
  const starts = expected.map((row) => String(row['clip_start'])).sort();
  return [JSON.stringify(keys), starts[0], starts.at(-1)];
}

/** Would the table take the record? Asked without writing: types, required columns, states and years. */
export async function isAcceptable(reader: PostgresReader, stored: StoredRecord): Promise<boolean> {
  const { type } = stored.record;
  const row = expectedRow(stored);
  try {
    const columns = recordset(COLUMNS[type]);
    await reader.query(`SELECT count(*) FROM ${columns}`, [JSON.stringify([row])]);
  } catch (error) {
    if (isUnaskable(error)) return false;
    throw error;
  }
  const required = await reader.query<{ name: string }>(
    `SELECT column_name AS name FROM information_schema.columns
      WHERE table_schema = 'actionstream' AND table_name = $1 AND is_nullable = 'NO' AND column_default IS NULL`,
    [TABLES[type]],
  );
  if (required.some(({ name }) => row[name] === undefined)) return false;
  if (type === 'action.event' && !['started', 'updated', 'ended'].includes(String(row['state'])))
    return false;
  const time = row['started_at'] ?? row['clip_start'] ?? row['at'];
  const year = new Date(String(time)).getUTCFullYear();
  return type === 'stream.status' || (year >= 1 && year <= 9999);
}

/** Identity of a record as the dead letters hold it: Postgres text has no zero character. */
export function letterIdOf(record: PublishedRecord): string {
  return recordIdOf(record).replaceAll('\0', '\\0');
}

export const TABLES: Readonly<Record<RecordType, string>> = {
  'action.event': 'action_events',
  'clip.stats': 'clip_stats',
  'stream.status': 'stream_status',
};

const LOOKUPS: Readonly<Record<RecordType, string>> = {
  'action.event': `
    SELECT ${selectList(COLUMNS['action.event'], 'found')} FROM actionstream.action_events AS found
     WHERE episode_id IN (SELECT episode_id FROM jsonb_to_recordset($1::jsonb) AS given(episode_id uuid))`,
  'clip.stats': `
    SELECT ${selectList(COLUMNS['clip.stats'], 'found')}
      FROM jsonb_to_recordset($1::jsonb) AS given(stream_id text, clip_start timestamptz, clip_seq bigint, run_id uuid)
      JOIN actionstream.clip_stats AS found USING (stream_id, clip_start, clip_seq, run_id)
     WHERE found.clip_start BETWEEN $2::timestamptz AND $3::timestamptz`,
  'stream.status': `
    SELECT ${selectList(STATUS_COLUMNS, 'found')},
           ${time('gap.from_at', 'gap_from')}, ${time('gap.to_at', 'gap_to')}, gap.stream_id AS gap_stream_id,
           gap.reason AS gap_reason, gap.run_id AS gap_run_id, ${time('gap.recorded_at', 'gap_recorded_at')}
      FROM jsonb_to_recordset($1::jsonb) AS given(status_id text)
      JOIN actionstream.stream_status AS found USING (status_id)
      LEFT JOIN actionstream.stream_gaps AS gap USING (status_id)`,
};

function gapColumns(row: Row): Row {
  const { stream_id, reason, run_id, recorded_at } = row;
  return { gap_stream_id: stream_id, gap_reason: reason, gap_run_id: run_id, gap_recorded_at: recorded_at };
}

function selectList(columns: Columns, table: string): string {
  return Object.entries(columns)
    .map(([name, type]) => (type === 'timestamptz' ? time(`${table}.${name}`, name) : `${table}.${name}`))
    .join(', ');
}

/** To the microsecond, whatever the zone and the style of dates of this session. */
function time(column: string, name: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ${name}`;
}

function recordset(columns: Columns): string {
  const definitions = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  return `jsonb_to_recordset($1::jsonb) AS given(${definitions.join(', ')})`;
}

/** Without absent values, times with milliseconds where they hold no more. */
function compact(row: Row): Row {
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(row)) {
    const value = row[name];
    if (value !== null && value !== undefined) kept[name] = inMilliseconds(value);
  }
  return kept;
}

const WHOLE_MS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}000Z$/;

function inMilliseconds(value: unknown): unknown {
  const isWhole = typeof value === 'string' && value.length === 27 && WHOLE_MS.test(value);
  return isWhole ? `${value.slice(0, 23)}Z` : value;
}

/** Class 22: a value that is none of the column's type. */
function isUnaskable(error: unknown): boolean {
  return error instanceof Error && sqlStateOf(error.cause).startsWith('22');
}
