import type { ActionEvent } from '../../src/core/records.ts';
import { createEpisodeTracker } from '../../src/events/index.ts';
import type { EpisodePolicy, EpisodeTrackerOptions, ScoredClip } from '../../src/events/types.ts';

const START_MS = Date.parse('2026-11-22T10:15:00.000Z');

export const policy: EpisodePolicy = {
  on: 0.6,
  off: 0.4,
  smoothing: 1,
  minDurationMs: 0,
  mergeGapMs: 0,
  cooldownMs: 0,
  maxDurationMs: 60_000,
  updateIntervalMs: 60_000,
};

export const model = { id: 's3d-g-test', version: '1.0.0', digest: 'sha256:00' };
export const pipeline = { instance: 'test', version: '0.0.0' };

export function optionsOf(more: Partial<EpisodeTrackerOptions> = {}): EpisodeTrackerOptions {
  return {
    streamId: 'dock-3',
    labels: ['background', 'fall', 'wave'],
    backgroundId: 0,
    defaultPolicy: policy,
    policies: {},
    strideMs: 1000,
    clockSource: 'media',
    uncertaintyMs: 0,
    sampler: 'ordered',
    model,
    pipeline,
    ...more,
  };
}

/** The n-th clip: windowMs long, one every strideMs, with a score for `fall` and one for `wave`. */
export function clipOf(
  n: number,
  [fall, wave = 0]: readonly number[],
  {
    strideMs = 1000,
    windowMs = 1000,
    segment = 0,
  }: { strideMs?: number; windowMs?: number; segment?: number } = {},
): ScoredClip {
  const startMs = n * strideMs;
  return {
    clipId: `dock-3/${segment}/${n}`,
    segment,
    startMs: START_MS + startMs,
    endMs: START_MS + startMs + windowMs,
    startUs: startMs * 1000,
    endUs: (startMs + windowMs) * 1000,
    ingestedAtMs: START_MS + startMs + windowMs + 20,
    processedAtMs: START_MS + startMs + windowMs + 90,
    scores: Float32Array.of(0.9, fall ?? 0, wave),
    compute: {
      inputSteps: 16,
      keptSteps: 1 + (n % 7),
      multiplyAdds: 1_000_000 + 1000 * n,
      denseMultiplyAdds: 4_000_000,
      reusedSteps: n % 5,
      reusedKeptSteps: n % 3,
      reusedMultiplyAdds: 10 * n,
      queueMs: 1 + (n % 3),
      lowerMs: 10,
      samplerMs: 0.5,
      upperMs: 5,
      engine: 'null',
      device: 'cpu',
    },
  };
}

/** All events of a row of `fall` scores, one a clip, and of the end of the stream. */
export function eventsOf(
  scores: readonly number[],
  more: Partial<EpisodePolicy> = {},
  window: { strideMs?: number; windowMs?: number } = {},
): readonly ActionEvent[] {
  const tracker = createEpisodeTracker(
    optionsOf({ defaultPolicy: { ...policy, ...more }, strideMs: window.strideMs ?? 1000 }),
  );
  return [
    ...scores.flatMap((score, n) => tracker.observe(clipOf(n, [score], window))),
    ...tracker.close('end_of_stream'),
  ];
}

/** `started 2`, `ended 2-5 below_threshold`: times in seconds since the stream began. */
export function brief(event: ActionEvent): string {
  const seconds = (time: string): number => (Date.parse(time) - START_MS) / 1000;
  if (event.state !== 'ended') return `${event.state} ${seconds(event.started_at)}`;
  return `ended ${seconds(event.started_at)}-${seconds(event.ended_at ?? '')} ${event.end_reason ?? ''}`;
}
