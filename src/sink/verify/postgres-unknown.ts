import type { PublishedRecord } from '../../core/records.ts';
import type { PostgresConnection } from '../postgres/connection.ts';
import { readCursor } from '../postgres/cursor.ts';
import { NO_RUN } from '../postgres/rows.ts';
import type { Differences } from './differences.ts';
import type { JournalView } from './journal-view.ts';
import type { RowComparison } from './postgres-compare.ts';
import { idOf, type Survey } from './survey.ts';

interface Parts {
  readonly survey: Survey;
  readonly view: JournalView;
  readonly comparison: RowComparison;
  readonly connection: PostgresConnection;
  readonly differences: Differences;
  readonly migratedAt: string;
}

interface KeyRow {
  readonly id: string;
  readonly stream_id: string;
  readonly instance: string;
  readonly recorded_at: Date;
  readonly run_id: string;
  /** Of clips. */
  readonly clip_start?: Date;
  readonly clip_seq?: number;
}

/**
 * Looks for rows that claim to come from this journal, which does not hold them.
 * @returns rows of others, of the same streams and time
 */
export async function findUnknownRows(parts: Parts): Promise<number> {
  const { survey, connection, differences, migratedAt } = parts;
  const { firstAtMs, firstMadeAtMs } = survey.provenance;
  if (!Number.isFinite(firstAtMs)) return 0;
  let foreign = 0;
  for (const table of SCANS) {
    const since = new Date(table.isTimed ? firstAtMs : firstMadeAtMs);
    const values = [survey.streams, since, table.isTimed ? migratedAt || null : null];
    for await (const rows of readCursor<KeyRow>(connection, table.sql, values)) {
      for (const row of rows) {
        const recordedAtMs = row.recorded_at.getTime();
        if (!table.isKnown(parts, row)) await survey.refresh(recordedAtMs);
        if (table.isKnown(parts, row)) continue;
        const runId = row.run_id === NO_RUN ? undefined : row.run_id;
        const origin = { instance: row.instance, streamId: row.stream_id, runId, recordedAtMs };
        const { provenance } = survey;
        if (!(table.isTimed ? provenance.claims(origin) : provenance.claimsMade(origin))) foreign += 1;
        else if (survey.covers(recordedAtMs)) {
          const detail = `${table.name} has a row of ${row.stream_id} that the journal has never held`;
          differences.add({ sink: 'postgres', problem: 'unknown', subject: row.id, detail });
        }
      }
    }
  }
  return foreign;
}

interface Scan {
  readonly name: string;
  readonly sql: string;
  /** Has the table `recorded_at`? Events say when they were made, just before the journal took them. */
  readonly isTimed: boolean;
  readonly isKnown: (parts: Parts, row: KeyRow) => boolean;
}

/** $1 streams, $2 since when, $3 the time in rows that are older than the column. */
const SINCE =
  'stream_id = ANY($1::text[]) AND recorded_at >= $2 AND recorded_at IS DISTINCT FROM $3::timestamptz';

const SCANS: readonly Scan[] = [
  {
    name: 'action_events',
    isTimed: false,
    sql: `
      SELECT episode_id AS id, stream_id, run_id, pipeline_instance AS instance, processed_at AS recorded_at
        FROM actionstream.action_events
       WHERE stream_id = ANY($1::text[]) AND processed_at >= $2 AND $3::timestamptz IS NULL`,
    isKnown: ({ survey }, { id }) => survey.hasEpisode(id),
  },
  {
    name: 'clip_stats',
    isTimed: true,
    sql: `
      SELECT clip_id AS id, stream_id, pipeline_instance AS instance, recorded_at, clip_start, clip_seq, run_id
        FROM actionstream.clip_stats WHERE ${SINCE}`,
    isKnown: hasClip,
  },
  {
    name: 'stream_status',
    isTimed: true,
    sql: `
      SELECT status_id AS id, stream_id, run_id, pipeline_instance AS instance, recorded_at
        FROM actionstream.stream_status WHERE ${SINCE}`,
    isKnown: hasStatus,
  },
  {
    // Written with its status: one without is nobody's.
    name: 'stream_gaps',
    isTimed: true,
    sql: `
      SELECT status_id AS id, stream_id, run_id, recorded_at,
             split_part(substr(status_id, length(stream_id) + 2), ':', 1) AS instance
        FROM actionstream.stream_gaps
       WHERE ${SINCE} AND status_id NOT IN (SELECT status_id FROM actionstream.stream_status)`,
    isKnown: hasStatus,
  },
];

/** By its key, since an id may stand in several rows; what came since the comparison by its id. */
function hasClip({ survey, view, comparison }: Parts, row: KeyRow): boolean {
  const { id, stream_id, run_id, instance, clip_seq } = row;
  const clip_start = row.clip_start?.toISOString();
  if (comparison.hasKey('clip.stats', { stream_id, run_id, clip_start, clip_seq })) return true;
  const run = run_id === NO_RUN ? {} : { run_id };
  const payload = { clip_id: id, stream_id, clip_start, ...run, pipeline: { instance } };
  const number = survey.numberOf(idOf({ type: 'clip.stats', payload } as unknown as PublishedRecord));
  return number !== undefined && survey.offsetOf(number) >= view.nextOffset;
}

function hasStatus({ survey }: Parts, { id, stream_id, instance }: KeyRow): boolean {
  const payload = { status_id: id, stream_id, pipeline: { instance } };
  return (
    survey.numberOf(idOf({ type: 'stream.status', payload } as unknown as PublishedRecord)) !== undefined
  );
}
