import type { ClipStats } from '../core/records.ts';
import { keyOfCursor, pageOf, statementValues, type PageRequest } from './keyset.ts';
import type { PostgresReader } from './postgres/reader.ts';
import { clipOfRow, type Row } from './postgres/rows.ts';

/** A page of rows, newest first, with the cursor of the next one; without it, the last page. */
export interface HistoryPage<Item> {
  readonly items: readonly Item[];
  readonly cursor?: string;
}

/** [since, until); either may be open. */
export interface TimeRange {
  readonly since?: Date;
  readonly until?: Date;
}

/** An interval [from, to) that no scored clip covers. */
export interface HistoryGap {
  readonly stream_id: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

/** Compute spent and saved. */
export interface SumOfCompute {
  readonly clips: number;
  readonly kept_steps: number;
  readonly input_steps: number;
  readonly multiply_adds: number;
  readonly dense_multiply_adds: number;
  readonly saved_ratio: number;
}

/** Of one stream within one hour, UTC. */
export interface HourOfCompute extends SumOfCompute {
  readonly stream_id: string;
  readonly hour: string;
}

/** Of one stream within one day, UTC: `2026-12-01`. */
export interface DayOfCompute extends SumOfCompute {
  readonly stream_id: string;
  readonly day: string;
}

type StreamsInTime = TimeRange & { readonly streams?: readonly string[] };

/** Statistics of the clips of one stream that begin in the range. @throws USAGE on a foreign cursor */
export async function queryClips(
  reader: PostgresReader,
  { streamId, since, until }: TimeRange & { readonly streamId: string },
  page: PageRequest,
): Promise<HistoryPage<ClipStats>> {
  const { place, values } = statementValues();
  const conditions = [`stream_id = ${place(streamId)}`];
  if (since) conditions.push(`clip_start >= ${place(since)}`);
  if (until) conditions.push(`clip_start < ${place(until)}`);
  if (page.cursor !== undefined) {
    const [start = '', sequence = '', run = ''] = keyOfCursor(page.cursor, /^(\S+Z) (\d+) ([0-9a-f-]{36})$/);
    conditions.push(
      `(clip_start, clip_seq, run_id) < (${place(start)}::timestamptz, ${place(sequence)}::bigint, ${place(run)}::uuid)`,
    );
  }
  const rows = await reader.query<Row>(
    `SELECT * FROM actionstream.clip_stats WHERE ${conditions.join(' AND ')}
      ORDER BY clip_start DESC, clip_seq DESC, run_id DESC LIMIT ${place(page.limit + 1)}`,
    values,
  );
  const { rows: shown, ...next } = pageOf(
    rows,
    page,
    (row) => `${timeOf(row['clip_start'])} ${String(row['clip_seq'])} ${String(row['run_id'])}`,
  );
  return { items: shown.map(clipOfRow), ...next };
}

/** Gaps that overlap the range: when nobody watched. @throws USAGE on a foreign cursor */
export async function queryGaps(
  reader: PostgresReader,
  { streams, since, until }: TimeRange & { readonly streams?: readonly string[] },
  page: PageRequest,
): Promise<HistoryPage<HistoryGap>> {
  const { place, values } = statementValues();
  const conditions = ['true'];
  if (streams) conditions.push(`stream_id = ANY(${place(streams)})`);
  if (since) conditions.push(`to_at > ${place(since)}`);
  if (until) conditions.push(`from_at < ${place(until)}`);
  if (page.cursor !== undefined) {
    const [from = '', id = ''] = keyOfCursor(page.cursor, /^(\S+Z) (.+)$/);
    conditions.push(`(from_at, status_id) < (${place(from)}::timestamptz, ${place(id)})`);
  }
  const rows = await reader.query<Row>(
    `SELECT stream_id, from_at, to_at, reason, status_id FROM actionstream.stream_gaps
      WHERE ${conditions.join(' AND ')} ORDER BY from_at DESC, status_id DESC LIMIT ${place(page.limit + 1)}`,
    values,
  );
  const { rows: shown, ...next } = pageOf(
    rows,
    page,
    (row) => `${timeOf(row['from_at'])} ${String(row['status_id'])}`,
  );
  const items = shown.map((row) => ({
    stream_id: String(row['stream_id']),
    from: timeOf(row['from_at']),
    to: timeOf(row['to_at']),
    reason: String(row['reason']),
  }));
  return { items, ...next };
}

/** Compute by stream and hour, newest first, at most `limit` rows. */
export async function queryHours(
  reader: PostgresReader,
  range: StreamsInTime,
  limit: number,
): Promise<readonly HourOfCompute[]> {
  const rows = await queryCompute(reader, range, { unit: 'hour', limit });
  return rows.map((row) => ({
    stream_id: String(row['stream_id']),
    hour: timeOf(row['begin']),
    ...sumOfRow(row),
  }));
}

/** Compute by stream and day, newest first. */
export async function queryDays(
  reader: PostgresReader,
  range: StreamsInTime,
): Promise<readonly DayOfCompute[]> {
  const rows = await queryCompute(reader, range, { unit: 'day' });
  return rows.map((row) => ({
    stream_id: String(row['stream_id']),
    day: timeOf(row['begin']).slice(0, 10),
    ...sumOfRow(row),
  }));
}

async function queryCompute(
  reader: PostgresReader,
  { streams, since, until }: StreamsInTime,
  { unit, limit }: { readonly unit: 'hour' | 'day'; readonly limit?: number },
): Promise<readonly Row[]> {
  const { place, values } = statementValues();
  const conditions = ['true'];
  if (streams) conditions.push(`stream_id = ANY(${place(streams)})`);
  if (since) conditions.push(`clip_start >= ${place(since)}`);
  if (until) conditions.push(`clip_start < ${place(until)}`);
  return reader.query<Row>(
    `SELECT stream_id, date_trunc(${place(unit)}, clip_start, 'UTC') AS begin, count(*) AS clips,
            sum(kept_steps) AS kept_steps, sum(input_steps) AS input_steps,
            sum(multiply_adds) AS multiply_adds, sum(dense_multiply_adds) AS dense_multiply_adds
       FROM actionstream.clip_stats WHERE ${conditions.join(' AND ')}
      GROUP BY 1, 2 ORDER BY 2 DESC, 1 LIMIT ${place(limit ?? null)}`,
    values,
  );
}

function sumOfRow(row: Row): SumOfCompute {
  const sums = {
    clips: Number(row['clips']),
    kept_steps: Number(row['kept_steps']),
    input_steps: Number(row['input_steps']),
    multiply_adds: Number(row['multiply_adds']),
    dense_multiply_adds: Number(row['dense_multiply_adds']),
  };
  return { ...sums, saved_ratio: savedRatio(sums) };
}

/** 0 where nothing was computed. */
export function savedRatio(sums: Pick<SumOfCompute, 'multiply_adds' | 'dense_multiply_adds'>): number {
  return sums.dense_multiply_adds === 0 ? 0 : 1 - sums.multiply_adds / sums.dense_multiply_adds;
}

function timeOf(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value);
}
