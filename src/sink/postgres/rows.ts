import type { ActionEvent, ClipStats, EndReason, EpisodeState, StreamStatus } from '../../core/records.ts';
import type { ClockSource } from '../../core/frame.ts';
import { toRfc3339 } from '../../core/time.ts';

/** The compute receipt, of an episode or of a clip. */
const RECEIPT_COLUMNS = {
  sampler: 'text',
  delta: 'double precision',
  kept_steps: 'bigint',
  input_steps: 'bigint',
  multiply_adds: 'double precision',
  dense_multiply_adds: 'double precision',
  reused_steps: 'bigint',
  reused_kept_steps: 'bigint',
  reused_multiply_adds: 'double precision',
  latency_queue_ms: 'double precision',
  latency_lower_ms: 'double precision',
  latency_sampler_ms: 'double precision',
  latency_upper_ms: 'double precision',
  latency_e2e_ms: 'double precision',
  engine: 'text',
  device: 'text',
} as const;

/** Which model and which instance made the record. */
const ORIGIN_COLUMNS = {
  model_id: 'text',
  model_version: 'text',
  model_digest: 'text',
  pipeline_instance: 'text',
  pipeline_version: 'text',
} as const;

/** Columns of `action_events` in their order of definition, with their types. */
export const ACTION_EVENT_COLUMNS = {
  episode_id: 'uuid',
  started_at: 'timestamptz',
  sequence: 'integer',
  state: 'text',
  end_reason: 'text',
  stream_id: 'text',
  run_id: 'uuid',
  label: 'text',
  label_id: 'integer',
  score_peak: 'double precision',
  score_mean: 'double precision',
  score_last: 'double precision',
  ended_at: 'timestamptz',
  duration_ms: 'double precision',
  resolution_ms: 'double precision',
  clock_source: 'text',
  uncertainty_ms: 'double precision',
  ingested_at: 'timestamptz',
  processed_at: 'timestamptz',
  first_pts_us: 'double precision',
  last_pts_us: 'double precision',
  segment: 'integer',
  clips: 'integer',
  ...RECEIPT_COLUMNS,
  saved_ratio: 'double precision',
  ...ORIGIN_COLUMNS,
} as const;

export const CLIP_STATS_COLUMNS = {
  stream_id: 'text',
  run_id: 'uuid',
  clip_start: 'timestamptz',
  clip_seq: 'bigint',
  clip_id: 'text',
  clip_end: 'timestamptz',
  segment: 'integer',
  frames: 'integer',
  scores: 'jsonb',
  ...RECEIPT_COLUMNS,
  ...ORIGIN_COLUMNS,
  recorded_at: 'timestamptz',
} as const;

export const STREAM_STATUS_COLUMNS = {
  status_id: 'text',
  stream_id: 'text',
  run_id: 'uuid',
  state: 'text',
  at: 'timestamptz',
  reason: 'text',
  detail: 'text',
  gap_from: 'timestamptz',
  gap_to: 'timestamptz',
  pipeline_instance: 'text',
  pipeline_version: 'text',
  recorded_at: 'timestamptz',
} as const;

/** Stands for "no run" in the tables, where it is part of a key. */
export const NO_RUN = '00000000-0000-0000-0000-000000000000';

export type Row<Columns> = { readonly [Name in keyof Columns]?: unknown };

export function toActionEventRow(event: ActionEvent): Row<typeof ACTION_EVENT_COLUMNS> {
  const { score, time, media, compute } = event;
  return {
    episode_id: event.episode_id,
    started_at: event.started_at,
    sequence: event.sequence,
    state: event.state,
    end_reason: event.end_reason,
    stream_id: event.stream_id,
    run_id: event.run_id ?? NO_RUN,
    label: event.label,
    label_id: event.label_id,
    score_peak: score.peak,
    score_mean: score.mean,
    score_last: score.last,
    ended_at: event.ended_at,
    duration_ms: event.duration_ms,
    resolution_ms: event.resolution_ms,
    clock_source: time.clock_source,
    uncertainty_ms: time.uncertainty_ms,
    ingested_at: time.ingested_at,
    processed_at: time.processed_at,
    first_pts_us: media.first_pts_us,
    last_pts_us: media.last_pts_us,
    segment: media.segment,
    clips: event.clips,
    ...computeColumns(compute),
    saved_ratio: compute.saved_ratio,
    ...originColumns(event),
  };
}

export function toClipStatsRow(stats: ClipStats, recordedAtMs: number): Row<typeof CLIP_STATS_COLUMNS> {
  const { stream_id, clip_start, clip_seq, clip_id, clip_end, segment, frames, scores } = stats;
  return {
    ...{ stream_id, clip_start, clip_seq, clip_id, clip_end, segment, frames, scores },
    run_id: stats.run_id ?? NO_RUN,
    ...computeColumns(stats.compute),
    ...originColumns(stats),
    recorded_at: toRfc3339(recordedAtMs),
  };
}

export function toStreamStatusRow(
  status: StreamStatus,
  recordedAtMs: number,
): Row<typeof STREAM_STATUS_COLUMNS> {
  const { status_id, stream_id, state, at, reason, detail, gap, pipeline } = status;
  return {
    ...{ status_id, stream_id, state, at, reason, detail },
    run_id: status.run_id ?? NO_RUN,
    recorded_at: toRfc3339(recordedAtMs),
    gap_from: gap?.from,
    gap_to: gap?.to,
    pipeline_instance: pipeline.instance,
    pipeline_version: pipeline.version,
  };
}

/** A row as the driver gives it: timestamps as Date, numbers as number, absent values null. */
export type ActionEventRow = {
  readonly [Name in keyof typeof ACTION_EVENT_COLUMNS]: Name extends Optional
    ? Value<(typeof ACTION_EVENT_COLUMNS)[Name]> | null
    : Value<(typeof ACTION_EVENT_COLUMNS)[Name]>;
};
type Optional = 'end_reason' | 'ended_at' | 'duration_ms' | 'delta' | 'reused_steps' | 'reused_kept_steps';
type Value<Type> = Type extends 'timestamptz' ? Date : Type extends 'text' | 'uuid' ? string : number;

/** The event that made the row, exactly. */
export function fromActionEventRow(row: ActionEventRow): ActionEvent {
  return {
    episode_id: row.episode_id,
    sequence: row.sequence,
    state: row.state as EpisodeState,
    ...(row.end_reason === null ? {} : { end_reason: row.end_reason as EndReason }),
    stream_id: row.stream_id,
    ...(row.run_id === NO_RUN ? {} : { run_id: row.run_id }),
    label: row.label,
    label_id: row.label_id,
    score: { peak: row.score_peak, mean: row.score_mean, last: row.score_last },
    started_at: row.started_at.toISOString(),
    ...(row.ended_at === null ? {} : { ended_at: row.ended_at.toISOString() }),
    ...(row.duration_ms === null ? {} : { duration_ms: row.duration_ms }),
    resolution_ms: row.resolution_ms,
    time: {
      clock_source: row.clock_source as ClockSource,
      uncertainty_ms: row.uncertainty_ms,
      ingested_at: row.ingested_at.toISOString(),
      processed_at: row.processed_at.toISOString(),
    },
    media: { first_pts_us: row.first_pts_us, last_pts_us: row.last_pts_us, segment: row.segment },
    clips: row.clips,
    compute: {
      sampler: row.sampler,
      ...(row.delta === null ? {} : { delta: row.delta }),
      kept_steps: row.kept_steps,
      input_steps: row.input_steps,
      multiply_adds: row.multiply_adds,
      dense_multiply_adds: row.dense_multiply_adds,
      ...(row.reused_steps === null ? {} : { reused_steps: row.reused_steps }),
      ...(row.reused_kept_steps === null ? {} : { reused_kept_steps: row.reused_kept_steps }),
      reused_multiply_adds: row.reused_multiply_adds,
      saved_ratio: row.saved_ratio,
      latency_ms: {
        queue: row.latency_queue_ms,
        lower: row.latency_lower_ms,
        sampler: row.latency_sampler_ms,
        upper: row.latency_upper_ms,
        e2e: row.latency_e2e_ms,
      },
      engine: row.engine,
      device: row.device,
    },
    model: { id: row.model_id, version: row.model_version, digest: row.model_digest },
    pipeline: { instance: row.pipeline_instance, version: row.pipeline_version },
  };
}

function computeColumns(compute: ClipStats['compute']): Row<typeof CLIP_STATS_COLUMNS> {
  const { latency_ms: latency, sampler, delta, kept_steps, input_steps, engine, device } = compute;
  const { multiply_adds, dense_multiply_adds, reused_multiply_adds } = compute;
  const { reused_steps, reused_kept_steps } = compute;
  return {
    ...{
      sampler,
      delta,
      kept_steps,
      input_steps,
      multiply_adds,
      dense_multiply_adds,
      reused_steps,
      reused_kept_steps,
      reused_multiply_adds,
      engine,
      device,
    },
    latency_queue_ms: latency.queue,
    latency_lower_ms: latency.lower,
    latency_sampler_ms: latency.sampler,
    latency_upper_ms: latency.upper,
    latency_e2e_ms: latency.e2e,
  };
}

function originColumns({
  model,
  pipeline,
}: Pick<ClipStats, 'model' | 'pipeline'>): Row<typeof CLIP_STATS_COLUMNS> {
  return {
    model_id: model.id,
    model_version: model.version,
    model_digest: model.digest,
    pipeline_instance: pipeline.instance,
    pipeline_version: pipeline.version,
  };
}
