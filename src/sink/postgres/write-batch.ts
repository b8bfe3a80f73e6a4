import type { PublishedRecord, RecordType } from '../../core/records.ts';
import type { PostgresClient } from './connection.ts';
import {
  ACTION_EVENT_COLUMNS,
  CLIP_STATS_COLUMNS,
  STREAM_STATUS_COLUMNS,
  toActionEventRow,
  toClipStatsRow,
  toStreamStatusRow,
} from './rows.ts';

/**
 * Writes records inside the caller's transaction, one statement a type. Repeating is harmless: an event replaces an
 * older one of its episode and nothing else, statistics and status are inserted once.
 */
export async function writeRecords(
  client: PostgresClient,
  records: readonly PublishedRecord[],
): Promise<void> {
  for (const [type, rows] of Object.entries(rowsByType(records))) {
    if (rows.length > 0) await client.query(STATEMENTS[type as RecordType], [JSON.stringify(rows)]);
  }
}

function rowsByType(records: readonly PublishedRecord[]): Record<RecordType, readonly object[]> {
  // One statement may touch an episode only once: the highest sequence is the truth.
  const latest = new Map<string, Extract<PublishedRecord, { type: 'action.event' }>['payload']>();
  const clips: object[] = [];
  const statuses: object[] = [];
  for (const record of records) {
    switch (record.type) {
      case 'action.event': {
        const known = latest.get(record.payload.episode_id);
        if (!known || record.payload.sequence > known.sequence)
          latest.set(record.payload.episode_id, record.payload);
        break;
      }
      case 'clip.stats':
        clips.push(toClipStatsRow(record.payload));
        break;
      case 'stream.status':
        statuses.push(toStreamStatusRow(record.payload));
    }
  }
  return {
    'action.event': [...latest.values()].map(toActionEventRow),
    'clip.stats': clips,
    'stream.status': statuses,
  };
}

const EVENT_NAMES = Object.keys(ACTION_EVENT_COLUMNS);
const EVENT_UPDATES = EVENT_NAMES.filter((name) => name !== 'episode_id' && name !== 'started_at');
const CLIP_NAMES = Object.keys(CLIP_STATS_COLUMNS);

const STATEMENTS: Readonly<Record<RecordType, string>> = {
  'action.event': `
    INSERT INTO actionstream.action_events AS old (${EVENT_NAMES.join(', ')})
    SELECT ${EVENT_NAMES.join(', ')} FROM ${recordset(ACTION_EVENT_COLUMNS)}
    ON CONFLICT (episode_id, started_at) DO UPDATE
       SET ${EVENT_UPDATES.map((name) => `${name} = excluded.${name}`).join(', ')}
     WHERE excluded.sequence > old.sequence`,
  'clip.stats': `
    INSERT INTO actionstream.clip_stats (${CLIP_NAMES.join(', ')})
    SELECT ${CLIP_NAMES.join(', ')} FROM ${recordset(CLIP_STATS_COLUMNS)}
    ON CONFLICT DO NOTHING`,
  'stream.status': `
    WITH given AS (SELECT * FROM ${recordset(STREAM_STATUS_COLUMNS)}),
    statuses AS (
      INSERT INTO actionstream.stream_status
        (status_id, stream_id, state, at, reason, detail, pipeline_instance, pipeline_version)
      SELECT status_id, stream_id, state, at, reason, detail, pipeline_instance, pipeline_version FROM given
      ON CONFLICT DO NOTHING),
    gaps AS (
      INSERT INTO actionstream.stream_gaps (status_id, stream_id, from_at, to_at, reason)
      SELECT status_id, stream_id, gap_from, gap_to, reason FROM given WHERE gap_from IS NOT NULL
      ON CONFLICT DO NOTHING)
    INSERT INTO actionstream.streams AS old (stream_id, state, state_reason, state_at, instance)
    SELECT DISTINCT ON (stream_id) stream_id, state, reason, at, pipeline_instance
      FROM given WHERE gap_from IS NULL ORDER BY stream_id, at DESC
    ON CONFLICT (stream_id) DO UPDATE
       SET state = excluded.state, state_reason = excluded.state_reason, state_at = excluded.state_at,
           instance = excluded.instance
     WHERE excluded.state_at >= old.state_at`,
};

/** One JSON parameter holds any number of rows; numbers and times keep every digit. */
function recordset(columns: Readonly<Record<string, string>>): string {
  const definitions = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  return `jsonb_to_recordset($1::jsonb) AS given(${definitions.join(', ')})`;
}
