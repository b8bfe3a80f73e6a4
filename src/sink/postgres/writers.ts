import { randomUUID } from 'node:crypto';
import { monotonicMs } from '../../core/time.ts';
import type { StoredRecord } from '../event-sink.ts';
import type { PostgresDatabase } from './connection.ts';

/** Another run of the program that writes a stream which is ours. */
export interface ForeignWriter {
  readonly streamId: string;
  readonly instance: string;
}

export interface StreamClaims {
  /**
   * Renews the claims of the batch's streams, each at most every 5 s;
   * @returns those that another writer has taken.
   */
  renew(batch: readonly StoredRecord[], signal: AbortSignal): Promise<readonly ForeignWriter[]>;
}

const RENEW_MS = 5000;

/**
 * Notices two programs that write one stream id into one database.
 *
 * - Each run of the program has an id of its own, and signs the row in `streams` of what it writes.
 * - When it finds that a stream it has signed is signed by another run, both
 *   write it: the other one is reported.
 * - A restart signs a stream for the first time, so it reports nothing, and its predecessor writes no more.
 * - So does a stream that begins anew: in a fleet another worker may have watched it meanwhile.
 * - Records from before this run say nothing about who writes now, and sign nothing.
 */
export function createStreamClaims(
  database: PostgresDatabase,
  { renewMs = RENEW_MS }: { readonly renewMs?: number } = {},
): StreamClaims {
  const writer = randomUUID();
  const startedAtMs = Date.now();
  const signedAtMs = new Map<string, number>();
  return {
    async renew(batch, signal) {
      const due = new Map<string, string>();
      for (const { record, recordedAtMs } of batch) {
        const { stream_id: id, pipeline } = record.payload;
        if (record.type === 'stream.status' && record.payload.reason === 'start') signedAtMs.delete(id);
        const isDue = monotonicMs() - (signedAtMs.get(id) ?? -Infinity) >= renewMs;
        if (recordedAtMs >= startedAtMs && isDue) due.set(id, pipeline.instance);
      }
      if (due.size === 0) return [];
      const rows = [...due].sort(([a], [b]) => (a < b ? -1 : 1));
      const found = await database.transaction(
        (client) =>
          client.query<{ stream_id: string; writer_instance: string | null }>(SIGN, [
            rows.map(([id]) => id),
            rows.map(([, instance]) => instance),
            writer,
          ]),
        { signal },
      );
      const foreign = found.rows.filter(({ stream_id: id }) => signedAtMs.has(id));
      for (const id of due.keys()) signedAtMs.set(id, monotonicMs());
      return foreign.map(({ stream_id: streamId, writer_instance: instance }) => ({
        streamId,
        instance: instance ?? '',
      }));
    },
  };
}

/** The statement sees the rows as they were before it changes them: those of others are returned. */
const SIGN = `
  WITH signed AS (
    INSERT INTO actionstream.streams AS old (stream_id, writer, writer_instance, written_at)
    SELECT stream_id, $3::uuid, instance, now() FROM unnest($1::text[], $2::text[]) AS given(stream_id, instance)
    ON CONFLICT (stream_id) DO UPDATE
       SET writer = excluded.writer, writer_instance = excluded.writer_instance, written_at = excluded.written_at)
  SELECT stream_id, writer_instance FROM actionstream.streams
   WHERE stream_id = ANY($1::text[]) AND writer <> $3::uuid`;
