import type { ActionEvent, ClipStats, PublishedRecord, StreamStatus } from '../../src/core/records.ts';
import { toRfc3339 } from '../../src/core/time.ts';

const MODEL = { id: 'untrained-tiny', version: '1.0.0', digest: `sha256:${'0'.repeat(64)}` };
const PIPELINE = { instance: 'test', version: '0.0.0' };
const COMPUTE = {
  sampler: 'ordered',
  delta: 0.6,
  kept_steps: 3,
  input_steps: 32,
  multiply_adds: 1_234_567_890_123,
  dense_multiply_adds: 9_876_543_210_987,
  reused_steps: 3,
  reused_kept_steps: 1,
  reused_multiply_adds: 42,
  latency_ms: { queue: 0.1, lower: 12.25, sampler: 0.3, upper: 7.125, e2e: 101.7 },
  engine: 'null',
  device: 'cpu',
};

/** Episode `episode` of a stream, 10 s after the one before; its id is a function of both. */
export function actionEvent(
  parts: Partial<ActionEvent> & { readonly episode?: number } = {},
): Extract<PublishedRecord, { type: 'action.event' }> {
  const { episode = 0, ...overrides } = parts;
  const { state = 'started', stream_id = 'cam-1' } = overrides;
  const startedAtMs = Date.UTC(2026, 10, 22, 10) + episode * 10_000;
  const end = {
    end_reason: 'below_threshold' as const,
    ended_at: toRfc3339(startedAtMs + 6400),
    duration_ms: 6400,
  };
  return {
    type: 'action.event',
    payload: {
      episode_id: episodeId(stream_id, episode),
      sequence: { started: 0, updated: 1, ended: 2 }[state],
      state,
      stream_id,
      label: 'lifting_brick',
      label_id: 134,
      score: { peak: 0.93, mean: 0.1 + 0.2, last: 0.22 },
      started_at: toRfc3339(startedAtMs),
      ...(state === 'ended' ? end : {}),
      resolution_ms: 640,
      time: {
        clock_source: 'wallclock',
        uncertainty_ms: 40,
        ingested_at: toRfc3339(startedAtMs + 700),
        processed_at: toRfc3339(startedAtMs + 801),
      },
      media: { first_pts_us: 81_234_000, last_pts_us: 81_810_000, segment: 0 },
      clips: 11,
      compute: { ...COMPUTE, saved_ratio: 1 - COMPUTE.multiply_adds / COMPUTE.dense_multiply_adds },
      model: MODEL,
      pipeline: PIPELINE,
      ...overrides,
    },
  };
}

/** Clip `clip_seq` of a stream, one a second. */
export function clipStats(
  overrides: Partial<ClipStats> & { readonly padding?: string } = {},
): Extract<PublishedRecord, { type: 'clip.stats' }> {
  const { padding, ...given } = overrides;
  const { clip_seq = 0, stream_id = 'cam-1' } = given;
  const startMs = Date.UTC(2026, 10, 22, 10) + clip_seq * 1000;
  return {
    type: 'clip.stats',
    payload: {
      clip_id: `${stream_id}/0/${clip_seq * 16}${padding ?? ''}`,
      clip_seq,
      stream_id,
      clip_start: toRfc3339(startMs),
      clip_end: toRfc3339(startMs + 1000),
      segment: 0,
      frames: 32,
      scores: [{ label: 'lifting_brick', score: 0.81 }],
      compute: COMPUTE,
      model: MODEL,
      pipeline: PIPELINE,
      ...given,
    },
  };
}

export function streamStatus(
  overrides: Partial<StreamStatus> & { readonly n?: number } = {},
): Extract<PublishedRecord, { type: 'stream.status' }> {
  const { n = 0, ...given } = overrides;
  const { stream_id = 'cam-1' } = given;
  return {
    type: 'stream.status',
    payload: {
      status_id: `${stream_id}:test:${n}`,
      stream_id,
      state: 'up',
      at: toRfc3339(Date.UTC(2026, 10, 22, 10) + n),
      reason: 'start',
      pipeline: PIPELINE,
      ...given,
    },
  };
}

/** A UUID that depends on stream and number only. */
function episodeId(streamId: string, episode: number): string {
  const stream = Buffer.from(streamId).toString('hex').padEnd(12, '0').slice(-12);
  return `00000000-0000-5000-8000-${stream}`.replace(/^0{8}/, String(episode).padStart(8, '0'));
}
