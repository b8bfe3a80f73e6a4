import { describe, expect, test } from 'vitest';
import type { LabelledClip } from '../../src/lab/datasets/types.ts';
import { evenWeights } from '../../tools/study/paired-bootstrap.ts';
import type { SamplerOptions } from '../../src/sampler/index.ts';
import { compareAtEqualCost } from '../../tools/study/equal-cost.ts';
import { figuresOf } from '../../tools/study/figures.ts';
import { bySeed, createBootstrap } from '../../tools/study/intervals.ts';
import { indoorTruth } from '../../tools/study/labels.ts';
import type { Prediction } from '../../tools/study/predict.ts';
import { joinSeeds, type CaseResult } from '../../tools/study/results.ts';
import { scorePrediction } from '../../tools/study/scored.ts';
import type { TestVideo } from '../../tools/study/videos.ts';

describe('what is true of a window of a long video', () => {
  const segment = (label: string, startS: number, endS: number): LabelledClip => ({
    dataset: 'fir-action',
    path: '/v.mp4',
    name: 'v.mp4',
    labels: [label],
    startS,
    endS,
    split: 'test',
  });

  test.each([
    ['fills half of it', [segment('walk', 0, 1)], true],
    ['lies inside it', [segment('walk', 0.5, 0.9)], true],
    ['only reaches into it', [segment('walk', 1.5, 9)], undefined],
    ['is elsewhere', [segment('walk', 5, 9)], false],
    ['is a state and no action', [segment('sit', 0, 2)], false],
  ])('an action that %s', (_, segments, expected) => {
    expect(indoorTruth(segments, 0, 2).get('walk')).toBe(expected);
  });
});

describe('a prediction, scored', () => {
  test('takes clips by their mean score, long videos by window, and cost by kind of video', () => {
    const scored = scorePrediction(predictionOf([0.9, 0.2, 0.8, 0.1]), VIDEOS);

    expect(figuresOf(scored, evenWeights(scored.counts))).toMatchObject({
      fightAuc: 1,
      fightAccuracy: 1,
      interactions: 1,
      indoorAuc: 1,
      short: 1,
      together: 1,
    });
    expect(scored.cost.short).toEqual({ windows: 5, keptSteps: 4, multiplyAdds: 40 });
    expect(scored.cost.long.keptSteps).toBe(2);
    expect(scored.counts).toEqual({ fight: 4, interactions: 1, blocks: 2 });
  });
});

describe('bootstrap intervals', () => {
  const good = scorePrediction(predictionOf([0.9, 0.2, 0.8, 0.1]), VIDEOS);
  const worse = scorePrediction(predictionOf([0.9, 0.85, 0.8, 0.1]), VIDEOS);

  test('hold the value, and are wider where items disagree', () => {
    const bootstrap = createBootstrap(good, 1);
    const { fightAuc } = bootstrap.estimate(bySeed([worse]));

    expect(fightAuc.value).toBe(0.75);
    expect(fightAuc.from).toBeLessThan(0.75);
    expect(fightAuc.to).toBe(1);
    expect(bootstrap.estimate(bySeed([good])).fightAuc).toEqual({ value: 1, from: 1, to: 1 });
  });

  test('of a difference draw both alike: nothing differs from itself', () => {
    const { difference } = createBootstrap(good, 2);

    expect(difference(bySeed([good, worse]), bySeed([good, worse])).fightAuc).toEqual({
      value: 0,
      from: 0,
      to: 0,
    });
    expect(difference(bySeed([worse, worse]), bySeed([good, good])).fightAuc.to).toBe(0);
  });

  test('of several seeds cover how much seeds differ', () => {
    const { fightAuc } = createBootstrap(good, 2).estimate(bySeed([good, worse]));

    expect(fightAuc.value).toBe(0.875);
    expect(fightAuc.from).toBeLessThan(0.75);
  });
});

describe('trained SGS beside a rival at equal cost', () => {
  const dense = [0.9, 0.2, 0.8, 0.1];
  const result = (
    series: string,
    width: number,
    keptSteps: number,
    fights: readonly number[],
  ): CaseResult => ({
    case: { model: '/m', seed: 1, training: 't', series, sampler: ordered(width), order: 'normal' },
    prediction: predictionOf(fights, keptSteps),
  });
  const compare = (own: CaseResult, ...rival: readonly CaseResult[]) => {
    const { joined, base } = joinSeeds([result('dense', 9, 8, dense), own, ...rival], VIDEOS, 'dense');
    return compareAtEqualCost(joined, base, { series: 'own', rivals: ['rival'] })[0]!;
  };

  test('lies on the line between the two points of the rival around it', () => {
    // The rival: 0.5 of the fights' area at 2 steps, 0.75 at 6: 0.625 at 4, where the own point has all.
    const { above, costRatio } = compare(
      result('own', 1, 4, dense),
      result('rival', 1, 2, [0.9, 0.85, 0.3, 0.5]),
      result('rival', 2, 6, [0.9, 0.85, 0.8, 0.1]),
    );

    expect(costRatio.short).toBe(0.5);
    expect(above.short.value).toBeCloseTo((1 - 0.625) / 2);
    expect(above.together.value).toBeCloseTo((1 - 0.625) / 4);
    expect(above.short.from).toBeLessThan(above.short.value);
  });

  test("is set against the rival's cheapest point where the rival costs more, and against dense at the other end", () => {
    const cheapest = result('rival', 1, 6, [0.9, 0.85, 0.8, 0.1]);

    expect(compare(result('own', 1, 2, dense), cheapest).above.short.value).toBeCloseTo(0.125);
    expect(compare(result('own', 1, 8, dense), cheapest).above.short).toEqual({ value: 0, from: 0, to: 0 });
  });
});

const ordered = (width: number): SamplerOptions => ({ kind: 'ordered', width, distance: 'l2' });

const LABELS = ['fight', 'handshake', 'hug', 'kick', 'point', 'punch', 'push', 'walk'];

const VIDEOS: readonly TestVideo[] = [
  ...['fight', 'no_fight', 'fight', 'no_fight'].map((label, index) => video('fight', `f${index}`, label)),
  video('interaction', 'i', 'kick'),
  {
    task: 'indoor',
    name: 'long',
    path: '/long',
    segments: [{ ...video('indoor', 'long', 'walk').segments[0]!, startS: 0, endS: 10 }],
  },
];

function video(task: TestVideo['task'], name: string, label: string): TestVideo {
  const clip = { dataset: task, path: `/${name}`, name, labels: [label], split: 'test' };
  return { task, name, path: clip.path, segments: [clip] };
}

/** Fights scored as given; a kick that is seen; a long video of 20 s, walking in its first half. */
function predictionOf(fights: readonly number[], steps = 4): Prediction {
  const window = (startS: number, label: string, score: number, keptSteps: number) => ({
    startS,
    endS: startS + 2,
    scores: LABELS.map((name) => (name === label ? score : 0)),
    keptSteps,
    multiplyAdds: keptSteps * 10,
  });
  return {
    labels: LABELS,
    inputSteps: 8,
    denseMultiplyAdds: 80,
    videos: [
      ...fights.map((score, index) => ({
        task: 'fight' as const,
        name: `f${index}`,
        windows: [window(0, 'fight', score, steps)],
      })),
      { task: 'interaction', name: 'i', windows: [window(0, 'kick', 0.7, steps)] },
      {
        task: 'indoor',
        name: 'long',
        windows: [0, 5, 12, 17].map((startS) => window(startS, 'walk', startS < 10 ? 0.8 : 0.3, steps / 2)),
      },
    ],
  };
}
