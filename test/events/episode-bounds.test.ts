import { describe, expect, it } from 'vitest';
import type { EpisodePolicy } from '../../src/events/types.ts';
import { brief, eventsOf } from './clips.ts';

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
