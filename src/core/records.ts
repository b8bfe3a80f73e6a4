import type {
  ACTION_EVENT_FIELDS,
  CLIP_STATS_FIELDS,
  EndReason,
  EpisodeState,
  STREAM_STATUS_FIELDS,
} from './record-fields.ts';
import type { PayloadOf } from './fields.ts';

/** What actionstream publishes: the fields of its kinds of records are listed in record-fields.ts. */
export type PublishedRecord =
  | { readonly type: 'action.event'; readonly payload: ActionEvent }
  | { readonly type: 'clip.stats'; readonly payload: ClipStats }
  | { readonly type: 'stream.status'; readonly payload: StreamStatus };

export type RecordType = PublishedRecord['type'];

export const RECORD_TYPES = [
  'action.event',
  'clip.stats',
  'stream.status',
] as const satisfies readonly RecordType[];

export type { EndReason, EpisodeState };
export type ActionEvent = PayloadOf<typeof ACTION_EVENT_FIELDS>;
export type ClipStats = PayloadOf<typeof CLIP_STATS_FIELDS>;
export type StreamStatus = PayloadOf<typeof STREAM_STATUS_FIELDS>;
export type ModelReference = ActionEvent['model'];
export type PipelineReference = ActionEvent['pipeline'];
/** Where a stream is and whose. */
export type StreamDescription = NonNullable<ActionEvent['stream']>;

/** The stream that a record belongs to: Kafka key and ordering domain. */
export function streamIdOf(record: PublishedRecord): string {
  return record.payload.stream_id;
}

/**
 * Identity of a record for deduplication: the same on every re-send, another one where the content differs. A
 * provisional end carries its reason and offset, so that consumers do not take the true end for a repetition.
 */
export function recordIdOf(record: PublishedRecord): string {
  switch (record.type) {
    case 'action.event': {
      const {
        episode_id: episode,
        sequence,
        end_reason: reason = '',
        duration_ms: duration,
        writer_epoch: epoch,
      } = record.payload;
      const id = epoch === undefined ? `${episode}:${sequence}` : `${episode}:${sequence}:e${epoch}`;
      return isProvisional(record.payload) ? `${id}:${reason}:${duration ?? 0}` : id;
    }
    case 'clip.stats': {
      const { clip_id: clip, clip_start: start, run_id: run, pipeline } = record.payload;
      const id = `${pipeline.instance}:${clip}:${start}`;
      return run === undefined ? id : `${id}:${run}`;
    }
    case 'stream.status':
      return record.payload.status_id;
  }
}

/**
 * The end of a file's episode that came because the program stopped: the recording goes on, and a rerun
 * brings the true events. On a live stream such an end is final, since nobody can watch that time again.
 */
export function isProvisional({ run_id: runId, end_reason: reason }: ActionEvent): boolean {
  return runId !== undefined && PROVISIONAL_REASONS.includes(reason);
}

const PROVISIONAL_REASONS: readonly (EndReason | undefined)[] = ['shutdown', 'restart'];

/**
 * Whether `next` replaces `held`, another event of the same episode. The one rule for
 * every store and every comparison; the Postgres sink states it in SQL (write-batch.ts), the typed client for
 * its users (newest-event.ts).
 *
 * - Of two workers of a fleet the later owner of the stream is right, whatever the sequence.
 * - A provisional end yields to a true event of the same or a higher sequence,
 *   and to a later provisional end.
 * - A true event yields to any event of a higher sequence, except that no
 *   provisional end replaces a true end.
 */
export function supersedes(next: ActionEvent, held: ActionEvent): boolean {
  const [nextEpoch, heldEpoch] = [epochOf(next), epochOf(held)];
  if (nextEpoch !== heldEpoch) return nextEpoch > heldEpoch;
  if (!isProvisional(held)) {
    return next.sequence > held.sequence && !(isProvisional(next) && held.state === 'ended');
  }
  if (!isProvisional(next)) return next.sequence >= held.sequence;
  if (next.sequence !== held.sequence) return next.sequence > held.sequence;
  return endOf(next) > endOf(held);
}

function epochOf({ writer_epoch: epoch = 0 }: ActionEvent): number {
  return epoch;
}

function endOf({ ended_at: endedAt }: ActionEvent): number {
  return endedAt === undefined ? -Infinity : Date.parse(endedAt);
}
