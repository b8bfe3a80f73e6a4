import { supersedes, type ActionEvent, type RecordType } from '../../core/records.ts';
import type { StoredRecord } from '../event-sink.ts';
import type { PostgresClient } from './connection.ts';
import { COLUMNS, NO_RUN, rowOf, STATUS_COLUMNS, type Columns, type Row } from './rows.ts';

/**
 * Writes records inside the caller's transaction, one statement a type.
 * Repeating is harmless: an event replaces one of its episode that it supersedes
 * (core/records.ts) and nothing else, statistics and status are inserted once.
 */
export async function writeRecords(client: PostgresClient, records: readonly StoredRecord[]): Promise<void> {
  for (const [type, rows] of Object.entries(rowsByType(records))) {
    if (rows.length > 0) await client.query(STATEMENTS[type as RecordType], [JSON.stringify(rows)]);
  }
}

function rowsByType(records: readonly StoredRecord[]): Record<RecordType, readonly Row[]> {
  // One statement may touch an episode only once: with the event that would be left.
  const latest = new Map<string, ActionEvent>();
  const rows: Record<RecordType, Row[]> = { 'action.event': [], 'clip.stats': [], 'stream.status': [] };
  for (const { record, recordedAtMs } of records) {
    if (record.type === 'action.event') {
      const held = latest.get(record.payload.episode_id);
      if (!held || supersedes(record.payload, held)) latest.set(record.payload.episode_id, record.payload);
    } else rows[record.type].push(rowOf(record, recordedAtMs));
  }
  for (const payload of latest.values())
    rows['action.event'].push(rowOf({ type: 'action.event', payload }, 0));
  return rows;
}

const EVENT_NAMES = Object.keys(COLUMNS['action.event']);
const EVENT_UPDATES = EVENT_NAMES.filter((name) => name !== 'episode_id' && name !== 'started_at');
const CLIP_NAMES = Object.keys(COLUMNS['clip.stats']);
const STATUS_NAMES = Object.keys(STATUS_COLUMNS);

const STATEMENTS: Readonly<Record<RecordType, string>> = {
  'action.event': `
    INSERT INTO actionstream.action_events AS old (${EVENT_NAMES.join(', ')})
    SELECT ${EVENT_NAMES.join(', ')} FROM ${recordset(COLUMNS['action.event'])}
    ON CONFLICT (episode_id, started_at) DO UPDATE
       SET ${EVENT_UPDATES.map((name) => `${name} = excluded.${name}`).join(', ')}
     WHERE CASE
       WHEN ${epochOf('excluded')} <> ${epochOf('old')} THEN ${epochOf('excluded')} > ${epochOf('old')}
       WHEN NOT ${isProvisional('old')}
         THEN excluded.sequence > old.sequence
              AND NOT (${isProvisional('excluded')} AND old.state = 'ended')
       WHEN NOT ${isProvisional('excluded')} THEN excluded.sequence >= old.sequence
       ELSE (excluded.sequence, excluded.ended_at) > (old.sequence, old.ended_at) END`,
  'clip.stats': `
    INSERT INTO actionstream.clip_stats (${CLIP_NAMES.join(', ')})
    SELECT ${CLIP_NAMES.join(', ')} FROM ${recordset(COLUMNS['clip.stats'])}
    ON CONFLICT DO NOTHING`,
  'stream.status': `
    WITH given AS (SELECT * FROM ${recordset(COLUMNS['stream.status'])}),
    statuses AS (
      INSERT INTO actionstream.stream_status (${STATUS_NAMES.join(', ')})
      SELECT ${STATUS_NAMES.join(', ')} FROM given WHERE repeats IS NULL
      ON CONFLICT DO NOTHING),
    gaps AS (
      INSERT INTO actionstream.stream_gaps (status_id, stream_id, run_id, from_at, to_at, reason, recorded_at)
      SELECT status_id, stream_id, run_id, gap_from, gap_to, reason, recorded_at FROM given WHERE gap_from IS NOT NULL
      ON CONFLICT DO NOTHING)
    INSERT INTO actionstream.streams AS old
      (stream_id, state, state_reason, state_at, valid_until, instance, name, site, tags, location)
    SELECT DISTINCT ON (stream_id)
           stream_id, state, reason, at, valid_until, pipeline_instance, stream_name, site, tags, location
      FROM given WHERE gap_from IS NULL ORDER BY stream_id, at DESC, valid_until DESC NULLS FIRST
    ON CONFLICT (stream_id) DO UPDATE
       SET state = excluded.state, state_reason = excluded.state_reason, state_at = excluded.state_at,
           valid_until = excluded.valid_until, instance = excluded.instance, name = excluded.name, site = excluded.site,
           tags = excluded.tags, location = excluded.location
     WHERE old.state_at IS NULL OR excluded.state_at > old.state_at
        OR excluded.state_at = old.state_at
           AND coalesce(excluded.valid_until, 'infinity') >= coalesce(old.valid_until, '-infinity')`,
};

/** `isProvisional` of core/records.ts on a row; the statement above is its `supersedes`. */
function isProvisional(row: string): string {
  return `(${row}.run_id <> '${NO_RUN}' AND coalesce(${row}.end_reason IN ('shutdown', 'restart'), false))`;
}

function epochOf(row: string): string {
  return `coalesce(${row}.writer_epoch, 0)`;
}

/** One JSON parameter holds any number of rows; numbers and times keep every digit. */
function recordset(columns: Columns): string {
  const definitions = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  return `jsonb_to_recordset($1::jsonb) AS given(${definitions.join(', ')})`;
}
