import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ActionEvent } from '../../src/core/records.ts';
import { createEpisodeTracker } from '../../src/events/index.ts';
import type { EpisodePolicy, ScoredClip } from '../../src/events/types.ts';
import { clipOf, optionsOf, policy } from './clips.ts';

describe('rules for any scores and policy', () => {
  const anyPolicy: fc.Arbitrary<EpisodePolicy> = fc.record({
    on: fc.constantFrom(0.5, 0.7),
    off: fc.constantFrom(0.2, 0.5),
    smoothing: fc.constantFrom(1, 0.6, 0.2),
    minDurationMs: fc.constantFrom(0, 1500, 3000),
    mergeGapMs: fc.constantFrom(0, 1000, 2500),
    cooldownMs: fc.constantFrom(0, 3000),
    maxDurationMs: fc.constantFrom(4000, 60_000),
    updateIntervalMs: fc.constantFrom(0, 2000, 60_000),
  });
  const anyClips = fc
    .array(
      fc.record({
        scores: fc.tuple(fc.constantFrom(0, 0.3, 0.55, 0.9), fc.double({ min: 0, max: 1, noNaN: true })),
        gap: fc.integer({ min: 1, max: 3 }),
        rare: fc.integer({ min: 0, max: 9 }),
      }),
      { maxLength: 60 },
    )
    .chain((steps) =>
      fc.constantFrom(1000, 2500).map((windowMs) => {
        let n = 0;
        let segment = 0;
        return steps.map(({ scores, gap, rare }) => {
          n += rare === 1 ? gap : 1;
          segment += rare === 0 ? 1 : 0;
          return clipOf(n, scores, { windowMs, segment });
        });
      }),
    );
  const anyRun = fc.tuple(anyClips, anyPolicy);

  const play = (clips: readonly ScoredClip[], defaultPolicy: EpisodePolicy): readonly ActionEvent[] => {
    const tracker = createEpisodeTracker(optionsOf({ defaultPolicy }));
    const events = [...clips.flatMap((clip) => tracker.observe(clip)), ...tracker.close('end_of_stream')];
    expect(tracker.openEpisodes).toBe(0);
    expect(tracker.close('shutdown')).toEqual([]);
    return events;
  };
  const episodes = (events: readonly ActionEvent[]): readonly (readonly ActionEvent[])[] =>
    [...new Set(events.map(({ episode_id }) => episode_id))].map((id) =>
      events.filter(({ episode_id }) => episode_id === id),
    );

  it('every episode is started once, ended once, and its sequence grows by one', () => {
    fc.assert(
      fc.property(anyRun, ([clips, defaultPolicy]) => {
        for (const list of episodes(play(clips, defaultPolicy))) {
          expect(list.map(({ sequence }) => sequence)).toEqual(list.map((_, i) => i));
          expect(list.map(({ state }) => state)).toEqual(
            list.map((_, i) => (i === 0 ? 'started' : i === list.length - 1 ? 'ended' : 'updated')),
          );
          expect(new Set(list.map(({ started_at }) => started_at)).size).toBe(1);
        }
      }),
    );
  });

  it('no episode ends before it starts, is shorter than the minimum, or overlaps the next of its label', () => {
    fc.assert(
      fc.property(anyRun, ([clips, defaultPolicy]) => {
        const ended = play(clips, defaultPolicy).filter(({ state }) => state === 'ended');
        for (const event of ended) {
          const lasted = Date.parse(event.ended_at ?? '') - Date.parse(event.started_at);
          expect(lasted).toBe(event.duration_ms);
          expect(lasted).toBeGreaterThanOrEqual(Math.max(1, defaultPolicy.minDurationMs));
          expect(event.media.last_pts_us - event.media.first_pts_us).toBe(1000 * lasted);
        }
        const falls = ended.filter(({ label, media }) => label === 'fall' && media.segment === 0);
        falls.slice(1).forEach((event, i) => {
          expect(event.started_at >= (falls[i]?.ended_at ?? '')).toBe(true);
        });
      }),
    );
  });

  it('the compute receipt equals the sums over the clips that the episode spans', () => {
    fc.assert(
      fc.property(anyRun, ([clips, defaultPolicy]) => {
        for (const event of play(clips, defaultPolicy)) {
          if (event.state !== 'ended') continue;
          const centre = ({ startMs, endMs }: ScoredClip): number => (startMs + endMs) / 2;
          const spanned = clips.filter(
            (clip) =>
              clip.segment === event.media.segment &&
              centre(clip) > Date.parse(event.started_at) &&
              centre(clip) < Date.parse(event.ended_at ?? ''),
          );
          const sum = (of: (clip: ScoredClip) => number): number =>
            spanned.reduce((n, clip) => n + of(clip), 0);

          expect(event.clips).toBe(spanned.length);
          expect(event.compute.kept_steps).toBe(sum(({ compute }) => compute.keptSteps));
          expect(event.compute.input_steps).toBe(sum(({ compute }) => compute.inputSteps));
          expect(event.compute.multiply_adds).toBe(sum(({ compute }) => compute.multiplyAdds));
          expect(event.compute.dense_multiply_adds).toBe(sum(({ compute }) => compute.denseMultiplyAdds));
          expect(event.compute.reused_steps).toBe(sum(({ compute }) => compute.reusedSteps));
          expect(event.compute.reused_kept_steps).toBe(sum(({ compute }) => compute.reusedKeptSteps));
          expect(event.compute.reused_multiply_adds).toBe(sum(({ compute }) => compute.reusedMultiplyAdds));
        }
      }),
    );
  });

  it('the same clips give the same events, byte for byte', () => {
    fc.assert(
      fc.property(anyRun, ([clips, defaultPolicy]) => {
        expect(JSON.stringify(play(clips, defaultPolicy))).toBe(JSON.stringify(play(clips, defaultPolicy)));
      }),
    );
  });

  it('when clips were received and processed shows only in times and latencies', () => {
    fc.assert(
      fc.property(anyRun, fc.integer({ min: 1, max: 5000 }), ([clips, defaultPolicy], late) => {
        const later = clips.map((clip) => ({
          ...clip,
          ingestedAtMs: clip.ingestedAtMs + late,
          processedAtMs: clip.processedAtMs + 2 * late,
          compute: { ...clip.compute, queueMs: late, lowerMs: late, samplerMs: late, upperMs: late },
        }));
        const timeless = (events: readonly ActionEvent[]): object[] =>
          events.map((event) => ({ ...event, time: {}, compute: { ...event.compute, latency_ms: {} } }));

        expect(timeless(play(later, defaultPolicy))).toEqual(timeless(play(clips, defaultPolicy)));
      }),
    );
  });

  it('the δ of an episode is the largest of its clips, and none where the sampler has none', () => {
    const scored = [0.9, 0.9, 0.9, 0.1].map((score, n) => clipOf(n, [score]));
    const widened = scored.map((clip, n) => ({ ...clip, delta: [0.6, 1.2, 0.6, 0.6][n] ?? 0 }));

    expect(play(widened, policy).map(({ compute }) => compute.delta)).toEqual([0.6, 1.2]);
    for (const { compute } of play(scored, policy)) expect(compute).not.toHaveProperty('delta');
  });

  it('no event holds a null, a value that is not finite, or an unknown field', () => {
    fc.assert(
      fc.property(anyRun, ([clips, defaultPolicy]) => {
        for (const event of play(clips, defaultPolicy)) {
          expect(JSON.parse(JSON.stringify(event))).toEqual(event);
          expect(JSON.stringify(event)).not.toContain(':null');
        }
      }),
    );
  });
});

describe('times whose sums are not exact', () => {
  it('keep the cooldown after the maximum duration at any rate and origin', () => {
    fc.assert(
      fc.property(
        fc.constantFrom([10, 24, 6], [15, 16, 8], [25, 64, 16], [30, 16, 4], [29.97, 16, 8]),
        fc.integer({ min: 0, max: 2_000_000_000_000 }),
        ([fps = 1, frames = 1, stride = 1], originMs) => {
          const strideMs = (stride / fps) * 1000;
          const tracker = createEpisodeTracker(
            optionsOf({
              strideMs,
              defaultPolicy: { ...policy, cooldownMs: 60_000, maxDurationMs: 30_000 },
            }),
          );
          let endedMs = -Infinity;
          for (let n = 0; n * strideMs < 300_000; n += 1) {
            const startUs = Math.round((n * stride * 1_000_000) / fps);
            const endUs = Math.round(((n * stride + frames) * 1_000_000) / fps);
            const times = {
              ...{ startUs, endUs },
              startMs: originMs + startUs / 1000,
              endMs: originMs + endUs / 1000,
            };
            for (const event of tracker.observe({ ...clipOf(n, [0.9]), ...times })) {
              if (event.state === 'ended') endedMs = Date.parse(event.ended_at ?? '');
              else expect(Date.parse(event.started_at) - endedMs).toBeGreaterThanOrEqual(59_999);
            }
          }
          expect(endedMs).toBeGreaterThan(originMs);
        },
      ),
      { numRuns: 30 },
    );
  });
});
