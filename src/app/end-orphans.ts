import { backoffMs, isAborted, sleep } from '../core/abort.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { ActionEvent } from '../core/records.ts';
import { toRfc3339 } from '../core/time.ts';
import { endAfterRestart } from '../events/index.ts';
import type { RecordLog } from '../pipeline/types.ts';
import type { PostgresConnection } from '../sink/postgres/connection.ts';
import { openPostgresReader, readEpisodes } from '../sink/postgres/reader.ts';
import { NO_RUN } from '../sink/postgres/rows.ts';

interface OrphanSearch {
  readonly postgres: PostgresConnection;
  readonly instance: string;
  /** In a fleet: since when this worker owns a stream; undefined where it does not. */
  readonly epochOf?: (streamId: string) => number | undefined;
  readonly streamIds: readonly string[];
  /** When this run began, ms since 1970. */
  readonly startedAtMs: number;
  readonly log: RecordLog;
  readonly logger: Logger;
  /**
   * Resolves with true once Postgres holds what earlier runs left in the
   * journal; with false where the signal comes first.
   */
  caughtUp(signal: AbortSignal): Promise<boolean>;
}

/** Searches for orphans of each stream once, when it joins the run. */
export class OrphanSearches {
  readonly #search: Omit<OrphanSearch, 'streamIds'>;
  #waiting: string[] = [];
  #wake: (() => void) | undefined;

  constructor(search: Omit<OrphanSearch, 'streamIds'>) {
    this.#search = search;
  }

  add(streamId: string): void {
    this.#waiting.push(streamId);
    this.#wake?.();
  }

  /** Ends with the signal. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
    while (!isAborted(signal)) {
      const streamIds = this.#waiting;
      this.#waiting = [];
      if (streamIds.length > 0) await endOrphans({ ...this.#search, streamIds }, signal);
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** A worker that gave a stream up ends its episodes itself, and delivers their ends within this time. */
const LAST_OWNER_MS = 5000;

const BACKOFF = { firstMs: 1000, maxMs: 30_000 };

/**
 * Ends the episodes that an earlier run of this instance left open in Postgres and that the journal knows
 * nothing of: its folder was deleted, or the sink's backlog was forgotten. The ends go through the journal,
 * so every sink receives them. A file's episodes are left alone: the file heals them when it runs again.
 *
 * In a fleet these are the episodes that an earlier owner of the stream left open, whichever worker that was.
 * Their ends carry our epoch: what the earlier owner still writes of them, if it wakes up, is void.
 */
async function endOrphans(search: OrphanSearch, signal: AbortSignal): Promise<void> {
  const { log, logger, epochOf } = search;
  if (epochOf) await sleep(LAST_OWNER_MS, signal);
  for (let failures = 0; !isAborted(signal); failures += 1) {
    try {
      // What waits in the journal may hold their true ends.
      if (!(await search.caughtUp(signal))) return;
      const orphans = await findOrphans(search, signal);
      if (orphans.length === 0) return;
      logger.warn(
        { count: orphans.length, stream_ids: [...new Set(orphans.map(({ stream_id: id }) => id))] },
        'ending episodes that are open in Postgres and unknown to the journal',
      );
      await log.append(orphans.map((last) => ({ type: 'action.event', payload: endNow(last, epochOf) })));
      return;
    } catch (error) {
      if (isAborted(signal)) return;
      if (failures === 0)
        logger.warn({ cause: messageOf(error) }, 'Postgres was not searched for open episodes yet');
      await sleep(backoffMs(failures, BACKOFF), signal);
    }
  }
}

async function findOrphans(search: OrphanSearch, signal: AbortSignal): Promise<readonly ActionEvent[]> {
  await using reader = await openPostgresReader(search.postgres, { signal });
  return await readEpisodes(
    reader,
    search.epochOf ? ofEarlierOwners(search, search.epochOf) : ofOurs(search),
  );
}

function ofOurs({ instance, streamIds, startedAtMs }: OrphanSearch): EpisodeQuery {
  return {
    sql: `WHERE ended_at IS NULL AND stream_id = ANY($1::text[]) AND pipeline_instance = $2
            AND processed_at < $3::timestamptz AND run_id = $4::uuid ORDER BY started_at`,
    values: [streamIds, instance, toRfc3339(startedAtMs), NO_RUN],
  };
}

function ofEarlierOwners(
  { streamIds }: OrphanSearch,
  epochOf: NonNullable<OrphanSearch['epochOf']>,
): EpisodeQuery {
  return {
    sql: `WHERE ended_at IS NULL AND run_id = $3::uuid AND EXISTS (
            SELECT 1 FROM unnest($1::text[], $2::bigint[]) AS held(id, epoch)
             WHERE held.id = stream_id AND coalesce(writer_epoch, 0) < held.epoch) ORDER BY started_at`,
    values: [streamIds, streamIds.map((streamId) => epochOf(streamId) ?? 0), NO_RUN],
  };
}

type EpisodeQuery = Parameters<typeof readEpisodes>[1];

/** Made now, by this journal: otherwise its other rows of that time would look like this journal's. */
function endNow(last: ActionEvent, epochOf: OrphanSearch['epochOf']): ActionEvent {
  const end = { ...endAfterRestart(last), time: { ...last.time, processed_at: toRfc3339(Date.now()) } };
  const epoch = epochOf?.(last.stream_id);
  return epoch === undefined ? end : { ...end, end_reason: 'moved', writer_epoch: epoch };
}
