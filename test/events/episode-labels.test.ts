import { describe, expect, it } from 'vitest';
import { createEpisodeTracker } from '../../src/events/index.ts';
import { brief, clipOf, optionsOf, policy } from './clips.ts';

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
