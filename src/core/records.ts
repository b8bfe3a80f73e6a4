import type { ClockSource } from './frame.ts';

/**
 * What actionstream publishes: the shapes below are the wire format (JSON Schemas of the same names in `schemas/`).
 * Keys are snake_case with units in names, times RFC 3339 UTC with milliseconds, unknown values omitted.
 */
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

export type EpisodeState = 'started' | 'updated' | 'ended';
export type EndReason =
  | 'below_threshold'
  | 'max_duration'
  | 'discontinuity'
  | 'not_watched'
  | 'end_of_stream'
  | 'shutdown'
  | 'restart';

/** A change of an episode: an action from onset to offset, [started_at, ended_at). */
export interface ActionEvent {
  /** UUIDv5 of stream, label, onset and, for a file, its run: the same input gives the same id. */
  readonly episode_id: string;
  /** 0 for `started`, then 1, 2, …; `supersedes` says which event of an episode is the truth. */
  readonly sequence: number;
  readonly state: EpisodeState;
  readonly end_reason?: EndReason;
  readonly stream_id: string;
  /**
   * Only of files: UUIDv5 of the recording's content, the stream, the model and the settings that change results.
   * The same recording with the same model and settings has the same run id; anything else has another one.
   */
  readonly run_id?: string;
  readonly label: string;
  readonly label_id: number;
  readonly score: { readonly peak: number; readonly mean: number; readonly last: number };
  readonly started_at: string;
  readonly ended_at?: string;
  readonly duration_ms?: number;
  /** Onset and offset are known to this grid: the stride between clips. */
  readonly resolution_ms: number;
  readonly time: {
    readonly clock_source: ClockSource;
    readonly uncertainty_ms: number;
    readonly ingested_at: string;
    readonly processed_at: string;
  };
  readonly media: { readonly first_pts_us: number; readonly last_pts_us: number; readonly segment: number };
  /** Clips that the episode has spanned so far. */
  readonly clips: number;
  /** Sums over those clips; equal to the sums over their clip statistics. */
  readonly compute: EpisodeCompute;
  readonly model: ModelReference;
  readonly pipeline: PipelineReference;
}

/** The compute receipt of one clip, or of all clips of an episode: then counts are sums and latencies means. */
export interface ComputeReceipt {
  readonly sampler: string;
  /** `ordered`: the bin width δ that was used; of an episode: the largest. A tight compute budget raises it. */
  readonly delta?: number;
  readonly kept_steps: number;
  readonly input_steps: number;
  readonly multiply_adds: number;
  readonly dense_multiply_adds: number;
  /** Of the input steps, those that were not computed: an earlier clip had, or the pictures were the same. */
  readonly reused_steps?: number;
  /** Of the kept steps, those whose maps an earlier clip had been scored with. */
  readonly reused_kept_steps?: number;
  readonly reused_multiply_adds: number;
  readonly latency_ms: {
    readonly queue: number;
    readonly lower: number;
    readonly sampler: number;
    readonly upper: number;
    /** Scores ready − last frame of the clip received; of an episode: of its newest clip. */
    readonly e2e: number;
  };
  readonly engine: string;
  readonly device: string;
}

export interface EpisodeCompute extends ComputeReceipt {
  /** 1 − multiply_adds ÷ dense_multiply_adds. */
  readonly saved_ratio: number;
}

/** The compute receipt and best scores of one clip. */
export interface ClipStats {
  readonly clip_id: string;
  readonly clip_seq: number;
  readonly stream_id: string;
  /** As in ActionEvent. */
  readonly run_id?: string;
  readonly clip_start: string;
  readonly clip_end: string;
  readonly segment: number;
  readonly frames: number;
  readonly scores: readonly { readonly label: string; readonly score: number }[];
  readonly compute: ComputeReceipt;
  readonly model: ModelReference;
  readonly pipeline: PipelineReference;
}

/** A stream came up, went down, or left an interval unwatched. */
export interface StreamStatus {
  /** `<stream_id>:<instance>:<n>`; unique and stable on re-send. */
  readonly status_id: string;
  readonly stream_id: string;
  /** As in ActionEvent. */
  readonly run_id?: string;
  readonly state: 'connecting' | 'up' | 'stalled' | 'down' | 'ended' | 'gap';
  readonly at: string;
  readonly reason: string;
  readonly detail?: string;
  /** Only for `gap`: the interval [from, to) was not watched. */
  readonly gap?: { readonly from: string; readonly to: string };
  readonly pipeline: PipelineReference;
}

export interface ModelReference {
  /** Starts with `untrained-` when the weights are random: then labels mean nothing. */
  readonly id: string;
  readonly version: string;
  /** `sha256:<hex>` of the weights. */
  readonly digest: string;
}

export interface PipelineReference {
  readonly instance: string;
  readonly version: string;
}

/** The stream that a record belongs to: Kafka key and ordering domain. */
export function streamIdOf(record: PublishedRecord): string {
  return record.payload.stream_id;
}

/**
 * Identity of a record for deduplication: the same on every re-send, another one where the content differs.
 * A provisional end carries its reason and offset, so that consumers do not take the true end for a repetition.
 */
export function recordIdOf(record: PublishedRecord): string {
  switch (record.type) {
    case 'action.event': {
      const {
        episode_id: episode,
        sequence,
        end_reason: reason = '',
        duration_ms: duration,
      } = record.payload;
      const id = `${episode}:${sequence}`;
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
 * The end of a file's episode that came because the program stopped: the recording goes on, and a rerun brings the true
 * events. On a live stream such an end is final, since nobody can watch that time again.
 */
export function isProvisional({ run_id: runId, end_reason: reason }: ActionEvent): boolean {
  return runId !== undefined && PROVISIONAL_REASONS.includes(reason);
}

const PROVISIONAL_REASONS: readonly (EndReason | undefined)[] = ['shutdown', 'restart'];

/**
 * Whether `next` replaces `held`, another event of the same episode. The one rule for every store and every comparison;
 * the Postgres sink states it in SQL (write-batch.ts).
 *
 * - A provisional end yields to a true event of the same or a higher sequence, and to a later provisional end.
 * - A true event yields to any event of a higher sequence, except that no provisional end replaces a true end.
 */
export function supersedes(next: ActionEvent, held: ActionEvent): boolean {
  if (!isProvisional(held)) {
    return next.sequence > held.sequence && !(isProvisional(next) && held.state === 'ended');
  }
  if (!isProvisional(next)) return next.sequence >= held.sequence;
  if (next.sequence !== held.sequence) return next.sequence > held.sequence;
  return endOf(next) > endOf(held);
}

function endOf({ ended_at: endedAt }: ActionEvent): number {
  return endedAt === undefined ? -Infinity : Date.parse(endedAt);
}
