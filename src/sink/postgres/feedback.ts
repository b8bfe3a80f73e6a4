import type { ActionEvent } from '../../core/records.ts';
import { createDatabase, type PostgresConnection } from './connection.ts';
import { toPostgresError } from './errors.ts';
import type { PostgresReader } from './reader.ts';
import { eventOfRow, type Row } from './rows.ts';

/** What somebody said of an episode. */
export interface Feedback {
  readonly verdict: 'right' | 'wrong' | 'other';
  /** What it was instead; of `other` only. */
  readonly label?: string;
  /** RFC 3339. */
  readonly at: string;
  readonly by: string;
}

export type GivenFeedback = Omit<Feedback, 'at'> & { readonly episodeId: string };

/** An episode with the last word on it. */
export interface JudgedEvent {
  readonly event: ActionEvent;
  readonly feedback: Feedback;
}

/** Earlier words on an episode that are shown. */
const SHOWN = 20;

/** Adds a word on an episode; those before it stay. @throws POSTGRES_UNREACHABLE, POSTGRES_REFUSED */
export async function giveFeedback(
  connection: PostgresConnection,
  { episodeId, verdict, label, by }: GivenFeedback,
): Promise<Feedback> {
  const database = createDatabase(connection, { max: 1 });
  try {
    const { rows } = await database.transaction((client) =>
      client.query<Row>(
        `INSERT INTO actionstream.event_feedback (episode_id, verdict, label, given_by)
         VALUES ($1::uuid, $2, $3, $4) RETURNING *`,
        [episodeId, verdict, label ?? null, by],
      ),
    );
    return feedbackOfRow(rows[0] ?? {});
  } catch (error) {
    throw toPostgresError(error, connection);
  } finally {
    await database.end();
  }
}

/** What was said of one episode, newest first. */
export async function feedbackOf(reader: PostgresReader, episodeId: string): Promise<readonly Feedback[]> {
  const rows = await reader.query<Row>(
    `SELECT * FROM actionstream.event_feedback WHERE episode_id = $1::uuid ORDER BY feedback_id DESC LIMIT ${SHOWN}`,
    [episodeId],
  );
  return rows.map(feedbackOfRow);
}

/** Every episode that was judged and is still there, in the order of their ids. */
export async function judgedEvents(reader: PostgresReader): Promise<readonly JudgedEvent[]> {
  const rows = await reader.query<Row>(
    `SELECT event.*, word.verdict, word.label AS given_label, word.given_by, word.given_at
       FROM (SELECT DISTINCT ON (episode_id) * FROM actionstream.event_feedback
              ORDER BY episode_id, feedback_id DESC) AS word
       JOIN actionstream.action_events AS event USING (episode_id)
      ORDER BY event.episode_id`,
    [],
  );
  return rows.map((row) => ({
    event: eventOfRow(row),
    feedback: feedbackOfRow({ ...row, label: row['given_label'] }),
  }));
}

function feedbackOfRow(row: Row): Feedback {
  const { verdict, label, given_by: by, given_at: at } = row;
  return {
    verdict: verdict as Feedback['verdict'],
    ...(typeof label === 'string' && { label }),
    at: at instanceof Date ? at.toISOString() : String(at),
    by: String(by),
  };
}
