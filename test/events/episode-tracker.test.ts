import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ActionEvent } from '../../src/core/records.ts';
import { createEpisodeTracker } from '../../src/events/index.ts';
import type { EpisodePolicy, ScoredClip } from '../../src/events/types.ts';
import { brief, clipOf, eventsOf, optionsOf, policy } from './clips.ts';

describe('when an episode starts, goes on and ends (one clip a second, no overlap)', () => {
  const cases: [string, number[], Partial<EpisodePolicy>, string[]][] = [
    ['no score reaches on: nothing', [0, 0.5, 0.59, 0], {}, []],
    ['on starts it, below off ends it', [0, 0.6, 0.8, 0.3], {}, ['started 1', 'ended 1-3 below_threshold']],
    [
      'between off and on it goes on, but does not start (hysteresis)',
      [0.5, 0.7, 0.5, 0.4, 0.39],
      {},
      ['started 1', 'ended 1-4 below_threshold'],
    ],
    [
      'a dip no longer than the merge gap does not end it',
      [0.9, 0, 0, 0.5, 0, 0, 0],
      { mergeGapMs: 2000 },
      ['started 0', 'ended 0-4 below_threshold'],
    ],
    [
      'a dip longer than the merge gap does',
      [0.9, 0, 0, 0.9],
      { mergeGapMs: 1000 },
      ['started 0', 'ended 0-1 below_threshold', 'started 3', 'ended 3-4 end_of_stream'],
    ],
    ['shorter than the minimum: never published', [0, 0.9, 0.9, 0], { minDurationMs: 2500 }, []],
    [
      'the minimum reached: published, with its onset',
      [0, 0.9, 0.9, 0.9, 0],
      { minDurationMs: 3000 },
      ['started 1', 'ended 1-4 below_threshold'],
    ],
    [
      'a dip does not count as reaching the minimum',
      [0, 0.9, 0, 0, 0],
      { minDurationMs: 2000, mergeGapMs: 5000 },
      [],
    ],
    [
      'silent for the cooldown after an end',
      [0.9, 0, 0.9, 0, 0.9],
      { cooldownMs: 2000 },
      ['started 0', 'ended 0-1 below_threshold', 'started 4', 'ended 4-5 end_of_stream'],
    ],
    [
      'an action that lasts through the cooldown starts after it',
      [0.9, 0, 0.9, 0.9, 0.9],
      { cooldownMs: 2000 },
      ['started 0', 'ended 0-1 below_threshold', 'started 3', 'ended 3-5 end_of_stream'],
    ],
    [
      'the maximum ends it, and it starts anew where it ended',
      [0.9, 0.9, 0.9, 0.9, 0.9],
      { maxDurationMs: 3000 },
      ['started 0', 'ended 0-3 max_duration', 'started 3', 'ended 3-5 end_of_stream'],
    ],
    [
      'updated no more often than its interval, while it lasts',
      [0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0],
      { updateIntervalMs: 2000 },
      ['started 0', 'updated 0', 'updated 0', 'ended 0-6 below_threshold'],
    ],
    [
      'smoothing delays the decision, not the onset',
      [0, 0.9, 0.9, 0.9, 0, 0, 0],
      { smoothing: 0.5 },
      ['started 1', 'ended 1-4 below_threshold'],
    ],
    ['smoothing keeps a lone spike silent', [0, 0, 1, 0, 0], { smoothing: 0.5 }, []],
    [
      'a score of exactly on counts, in spite of single precision',
      [0.7, 0],
      { on: 0.7 },
      ['started 0', 'ended 0-1 below_threshold'],
    ],
    [
      'the end of the stream ends it with the last clip',
      [0, 0.9],
      {},
      ['started 1', 'ended 1-2 end_of_stream'],
    ],
    [
      'a dip at the end of the stream is no part of it',
      [0.9, 0.9, 0],
      { mergeGapMs: 5000 },
      ['started 0', 'ended 0-2 end_of_stream'],
    ],
  ];

  it.each(cases)('%s', (_, scores, more, expected) => {
    expect(eventsOf(scores, more).map(brief)).toEqual(expected);
  });
});

describe('when the last clip makes an episode long enough', () => {
  it('started and ended come together at the end of the stream', () => {
    const window = { strideMs: 1000, windowMs: 3000 };

    const events = eventsOf([0.9], { minDurationMs: 3000 }, window);

    expect(events.map(brief)).toEqual(['started 0', 'ended 0-3 end_of_stream']);
    expect(events.map(({ sequence }) => sequence)).toEqual([0, 1]);
  });
});

describe('segments', () => {
  it('a discontinuity ends an episode; another may start right behind it', () => {
    const tracker = createEpisodeTracker(optionsOf());

    tracker.observe(clipOf(0, [0.9]));
    const events = tracker.observe(clipOf(7, [0.9], { segment: 1 }));

    expect(events.map(brief)).toEqual(['ended 0-1 discontinuity', 'started 7']);
    expect(events.map(({ media }) => media.segment)).toEqual([0, 1]);
    expect(events[0]?.episode_id).not.toBe(events[1]?.episode_id);
  });

  it('smoothing does not reach across a discontinuity', () => {
    const tracker = createEpisodeTracker(optionsOf({ defaultPolicy: { ...policy, smoothing: 0.1 } }));
    for (let n = 0; n < 10; n += 1) tracker.observe(clipOf(n, [0]));

    expect(tracker.observe(clipOf(10, [0.9], { segment: 1 })).map(brief)).toEqual(['started 10']);
  });

  it('a clock that jumps back does not leave a label cooling for ever', () => {
    const tracker = createEpisodeTracker(optionsOf({ defaultPolicy: { ...policy, cooldownMs: 2000 } }));
    tracker.observe(clipOf(1000, [0.9]));
    tracker.observe(clipOf(1001, [0]));

    expect(tracker.observe(clipOf(0, [0.9], { segment: 1 })).map(brief)).toEqual(['started 0']);
  });
});

describe('fewer kept steps never end an episode (after Frigate #1273)', () => {
  it('the same scores give the same episodes, whether clips keep all steps, one, or none', () => {
    const scores = [0, 0.9, 0.9, 0.7, 0.5, 0.5, 0.9, 0.1];
    const run = (keptOf: (n: number) => number): string[] => {
      const tracker = createEpisodeTracker(optionsOf());
      const clips = scores.map((score, n): ScoredClip => {
        const clip = clipOf(n, [score]);
        return { ...clip, compute: { ...clip.compute, keptSteps: keptOf(n) } };
      });
      return [...clips.flatMap((clip) => tracker.observe(clip)), ...tracker.close('end_of_stream')].map(
        brief,
      );
    };

    const dense = run(() => 16);

    expect(dense).toEqual(['started 1', 'ended 1-7 below_threshold']);
    for (const keptOf of [() => 1, () => 0, (n: number) => 16 - 2 * n]) expect(run(keptOf)).toEqual(dense);
  });

  it('nor do clips dropped under load, where other clips cover their time', () => {
    const tracker = createEpisodeTracker(optionsOf());
    const window = { windowMs: 4000 };

    const events = [0, 1, 5, 9].flatMap((n) => tracker.observe(clipOf(n, [0.9], window)));

    expect(events.map(brief)).toEqual(['started 0']);
    expect(tracker.openEpisodes).toBe(1);
  });
});

describe('time that no clip covers', () => {
  it.each([
    [0, ['started 0', 'ended 0-2 not_watched', 'started 9']],
    [6999, ['started 0', 'ended 0-2 not_watched', 'started 9']],
    [7000, ['started 0']],
  ])('with a merge gap of %i ms, 7 s unseen give %j', (mergeGapMs, expected) => {
    const tracker = createEpisodeTracker(optionsOf({ defaultPolicy: { ...policy, mergeGapMs } }));

    const events = [0, 1, 9, 10].flatMap((n) => tracker.observe(clipOf(n, [0.9])));

    expect(events.map(brief)).toEqual(expected);
  });

  it('ends an episode that waits for its minimum duration without a word', () => {
    const tracker = createEpisodeTracker(optionsOf({ defaultPolicy: { ...policy, minDurationMs: 3000 } }));

    const events = [0, 1, 9, 10].flatMap((n) => tracker.observe(clipOf(n, [0.9])));

    expect(events).toEqual([]);
  });

  it('is none where the stride is longer than the clip: the settings say so', () => {
    const tracker = createEpisodeTracker(optionsOf({ strideMs: 5000 }));
    const clip = (n: number): ScoredClip => clipOf(n, [0.9], { strideMs: 5000, windowMs: 1000 });

    const events = [0, 1, 2].flatMap((n) => tracker.observe(clip(n)));

    expect(events.map(brief)).toEqual(['started 0']);
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

describe('labels', () => {
  const both = (more: Parameters<typeof optionsOf>[0]): string[] => {
    const tracker = createEpisodeTracker(optionsOf(more));
    return [tracker.observe(clipOf(0, [0.7, 0.7])), tracker.close('shutdown')]
      .flat()
      .map(({ label }) => label);
  };

  it('the background never becomes an event; the others are independent', () => {
    expect(both({})).toEqual(['fall', 'wave', 'fall', 'wave']);
  });

  it('an allow-list silences the others', () => {
    expect(both({ allow: ['wave'] })).toEqual(['wave', 'wave']);
  });

  it('a policy of a label takes the place of the default', () => {
    expect(both({ policies: { fall: { on: 0.8 } } })).toEqual(['wave', 'wave']);
  });

  it.each<[string, Parameters<typeof optionsOf>[0], RegExp]>([
    [
      'an unknown label',
      { policies: { fal: {} } },
      /s3d-g-test has no label "fal"; it has background, fall, wave/,
    ],
    ['an unknown allowed label', { allow: ['jump'] }, /no label "jump"/],
    [
      'off above on',
      { policies: { fall: { on: 0.3 } } },
      /label "fall": off \(0.4\) must not be above on \(0.3\)/,
    ],
    ['no smoothing weight', { defaultPolicy: { ...policy, smoothing: 0 } }, /smoothing \(0\)/],
    [
      'max below min',
      { defaultPolicy: { ...policy, minDurationMs: 9, maxDurationMs: 8 } },
      /max duration \(8 ms\)/,
    ],
  ])('%s is refused', (_, more, message) => {
    expect(() => createEpisodeTracker(optionsOf(more))).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) as string }),
    );
  });

  it('scores that are no number a label are refused and change nothing', () => {
    const tracker = createEpisodeTracker(optionsOf());
    tracker.observe(clipOf(0, [0.9]));

    expect(() => tracker.observe(clipOf(1, [NaN]))).toThrow(/dock-3\/0\/1: the score of "fall" is NaN/);
    expect(() => tracker.observe({ ...clipOf(1, [0]), scores: new Float32Array(2) })).toThrow(
      /2 scores for the 3/,
    );
    expect(tracker.observe(clipOf(1, [0])).map(brief)).toEqual(['ended 0-1 below_threshold']);
  });
});

describe('on a labelled scene, onset and offset are right to one stride on average', () => {
  // A clip's score is the share of it that shows the action: what a classifier
  // of whole clips can give at best.
  const errors = (windowMs: number, strideMs: number): number[] => {
    const actions = [
      [7310, 12_870],
      [21_040, 29_990],
      [40_500, 44_720],
    ] as const;
    const scores = Array.from({ length: Math.floor((60_000 - windowMs) / strideMs) + 1 }, (_, n) => {
      const from = n * strideMs;
      const overlaps = actions.map(([a, b]) => Math.max(0, Math.min(b, from + windowMs) - Math.max(a, from)));
      return overlaps.reduce((sum, overlap) => sum + overlap) / windowMs;
    });
    const events = eventsOf(scores, { on: 0.5, off: 0.5 }, { windowMs, strideMs });
    const ended = events.filter(({ state }) => state === 'ended').map(brief);
    expect(ended).toHaveLength(actions.length);
    return ended.flatMap((text, i) => {
      const [, from, to] = /ended ([\d.]+)-([\d.]+)/.exec(text) ?? [];
      return [Math.abs(Number(from) * 1000 - actions[i]![0]), Math.abs(Number(to) * 1000 - actions[i]![1])];
    });
  };

  it.each([
    [1000, 1000],
    [2000, 1000],
    [2000, 500],
    [2560, 320],
    [1500, 1000],
  ])('clips of %i ms every %i ms', (windowMs, strideMs) => {
    const all = errors(windowMs, strideMs);

    expect(all.reduce((a, b) => a + b) / all.length).toBeLessThanOrEqual(strideMs);
    expect(Math.max(...all)).toBeLessThanOrEqual(strideMs);
  });
});

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
