import type { ActionEvent } from '../core/records.ts';
import { keyOfCursor, pageOf, statementValues, type PageRequest } from './keyset.ts';
import { readEpisodes, type PostgresReader } from './postgres/reader.ts';
import { valuesOf } from './postgres/rows.ts';

/** Which episodes; everything given must hold. */
export interface EventFilter {
  readonly streams?: readonly string[];
  readonly labels?: readonly string[];
  /** Of streams of one of these sites, as they were described then. */
  readonly sites?: readonly string[];
  /** Of streams with at least one of these tags. */
  readonly tags?: readonly string[];
  /** Of one run of a file. */
  readonly runId?: string;
  /** Episodes that began in [since, until). */
  readonly since?: Date;
  readonly until?: Date;
  /** Open episodes have no duration yet and are left out by it. */
  readonly minDurationMs?: number;
  /** By the highest score of the episode, in [0, 1]. */
  readonly minScore?: number;
}

export interface EventPage {
  readonly events: readonly ActionEvent[];
  /** For the next page; absent on the last one. */
  readonly cursor?: string;
}

/**
 * One page of episodes, newest first; pages do not shift while new episodes arrive.
 * @throws USAGE on a foreign cursor
 */
export async function queryEvents(
  reader: PostgresReader,
  filter: EventFilter,
  page: PageRequest,
): Promise<EventPage> {
  const { place, values } = statementValues();
  const conditions = conditionsOf(filter, place);
  if (page.cursor !== undefined) {
    const [startedAt = '', episodeId = ''] = keyOfCursor(page.cursor, /^(\S+Z) ([0-9a-f-]{36})$/);
    conditions.push(
      `(started_at, episode_id) < (${place(startedAt)}::timestamptz, ${place(episodeId)}::uuid)`,
    );
  }
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const sql = `${where} ORDER BY started_at DESC, episode_id DESC LIMIT ${place(page.limit + 1)}`;
  const rows = await readEpisodes(reader, { sql, values });
  const { rows: events, ...next } = pageOf(rows, page, (event) => `${event.started_at} ${event.episode_id}`);
  return { events, ...next };
}

/** One episode by its id, as its last event; undefined where there is none. */
export async function findEvent(reader: PostgresReader, episodeId: string): Promise<ActionEvent | undefined> {
  const [event] = await readEpisodes(reader, { sql: 'WHERE episode_id = $1::uuid', values: [episodeId] });
  return event;
}

/** All episodes of the filter, page by page. */
export async function* exportEvents(
  reader: PostgresReader,
  filter: EventFilter,
  pageSize = 1000,
): AsyncGenerator<ActionEvent, void, undefined> {
  let cursor: string | undefined;
  do {
    const page: EventPage = await queryEvents(reader, filter, {
      limit: pageSize,
      ...(cursor ? { cursor } : {}),
    });
    yield* page.events;
    ({ cursor } = page);
  } while (cursor !== undefined);
}

/** Lines of a CSV file (RFC 4180), header first, without line ends. */
export async function* toCsv(events: AsyncIterable<ActionEvent>): AsyncGenerator<string, void, undefined> {
  yield CSV_COLUMNS.join(',');
  for await (const payload of events) {
    const values = valuesOf({ type: 'action.event', payload });
    yield CSV_COLUMNS.map((column) => quoteCsv(values[column])).join(',');
  }
}

/** Of the columns of `action_events`, those of the first interest. */
const CSV_COLUMNS = [
  ...['episode_id', 'stream_id', 'label', 'started_at', 'ended_at', 'duration_ms', 'state', 'end_reason'],
  ...[
    'score_peak',
    'score_mean',
    'clips',
    'kept_steps',
    'input_steps',
    'multiply_adds',
    'dense_multiply_adds',
  ],
  ...['saved_ratio', 'model_id', 'run_id', 'stream_name', 'site', 'tags', 'location'],
];

function conditionsOf(filter: EventFilter, place: (value: unknown) => string): string[] {
  const { streams, labels, sites, tags, runId, since, until, minDurationMs, minScore } = filter;
  const conditions: string[] = [];
  if (streams) conditions.push(`stream_id = ANY(${place(streams)})`);
  if (labels) conditions.push(`label = ANY(${place(labels)})`);
  if (sites) conditions.push(`site = ANY(${place(sites)})`);
  if (tags) conditions.push(`tags && ${place(tags)}::text[]`);
  if (runId !== undefined) conditions.push(`run_id = ${place(runId)}::uuid`);
  if (since) conditions.push(`started_at >= ${place(since)}`);
  if (until) conditions.push(`started_at < ${place(until)}`);
  if (minDurationMs !== undefined) conditions.push(`duration_ms >= ${place(minDurationMs)}`);
  if (minScore !== undefined) conditions.push(`score_peak >= ${place(minScore)}`);
  return conditions;
}

/** Quoted where RFC 4180 asks for it, and where a spreadsheet would take the text for a formula. */
function quoteCsv(value: unknown): string {
  if (Array.isArray(value)) return quoteCsv(value.join(','));
  if (typeof value !== 'string') return value === undefined ? '' : JSON.stringify(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
