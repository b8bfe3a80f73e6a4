import { describe, expect, it } from 'vitest';
import { createEpisodeTracker } from '../../src/events/index.ts';
import type { ScoredClip } from '../../src/events/types.ts';
import { brief, clipOf, optionsOf, policy } from './clips.ts';

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
