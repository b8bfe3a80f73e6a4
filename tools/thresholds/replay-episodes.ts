import { CLIP_RECEIPT_FIELDS, type Measured } from '../../src/core/compute.ts';
import { leavesOf } from '../../src/core/fields.ts';
import { configFromSources, resolveStream } from '../../src/config/index.ts';
import type { TimedAction } from '../../src/lab/evaluation/results.ts';
import { createEpisodeTracker } from '../../src/events/index.ts';
import type { ScoredClip } from '../../src/events/types.ts';
import type { ModelManifest } from '../../src/inference/model.ts';
import type { PredictedVideo, PredictedWindow } from './predictions.ts';

/** On and off by label, as a manifest has them. */
export type Thresholds = NonNullable<ModelManifest['thresholds']>;

/** Receipts are not asked of a replay. */
const NO_COMPUTE = Object.fromEntries(
  leavesOf(CLIP_RECEIPT_FIELDS).map(({ field }) => [(field as typeof field & Measured).from, 0]),
) as unknown as ScoredClip['compute'];

/**
 * The episodes that `run` would report of a video with other thresholds: windows keep
 * their scores, and its own policy, smoothing and durations make episodes of them.
 */
export function replayEpisodes(
  { path, windows }: Pick<PredictedVideo, 'path' | 'windows'>,
  manifest: ModelManifest,
  thresholds: Thresholds,
): readonly TimedAction[] {
  const { labels, background, id, version, weights, clip, network, sampler } = manifest;
  const overrides = { defaults: { kind: 'file' } };
  const [stream] = configFromSources([path], { env: {}, overrides }).streams;
  if (!stream) throw new RangeError('a source makes a stream');
  const { episodes } = resolveStream(stream, { ...network, clip, thresholds }, 'ffmpeg');
  const tracker = createEpisodeTracker({
    ...episodes,
    ...(background !== undefined && { backgroundId: labels.indexOf(background) }),
    ...{ streamId: stream.streamId, labels, clockSource: 'media', uncertaintyMs: 0, sampler: sampler.kind },
    model: { id, version, digest: `sha256:${weights.sha256}` },
    pipeline: { instance: 'thresholds', version },
  });
  const events = windows.map(scoredClip).flatMap((scored) => tracker.observe(scored));
  return [...events, ...tracker.close('end_of_stream')]
    .filter(({ state }) => state === 'ended')
    .map(({ label_id: labelId, started_at: start, ended_at: end = start }) => ({
      labelId,
      startS: Date.parse(start) / 1000,
      endS: Date.parse(end) / 1000,
    }));
}

function scoredClip({ segment, start_s, end_s, scores }: PredictedWindow, index: number): ScoredClip {
  const [startMs, endMs] = [start_s * 1000, end_s * 1000];
  return {
    ...{ clipId: String(index), segment, startMs, endMs, startUs: startMs * 1000, endUs: endMs * 1000 },
    ...{ ingestedAtMs: endMs, processedAtMs: endMs, scores: Float32Array.from(scores), compute: NO_COMPUTE },
  };
}
