import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { auc } from '../../../src/lab/evaluation/auc.ts';
import { bootstrapInterval } from '../../../src/lab/evaluation/bootstrap.ts';
import { choiceFigures } from '../../../src/lab/evaluation/choice-figures.ts';
import { computeFigures } from '../../../src/lab/evaluation/compute-figures.ts';
import { detectionFigures } from '../../../src/lab/evaluation/detection-figures.ts';
import { poissonInterval } from '../../../src/lab/evaluation/intervals.ts';
import { wilsonInterval } from '../../../src/core/wilson.ts';
import { bestOf } from '../../../src/lab/evaluation/ranking.ts';

const scores = fc.array(
  fc.record({ score: fc.integer({ min: 0, max: 8 }).map((n) => n / 8), positive: fc.boolean() }),
  { minLength: 1, maxLength: 40 },
);

describe('AUC', () => {
  test('is the share of pairs in which the positive scores higher, ties counting half', () => {
    fc.assert(
      fc.property(scores, (examples) => {
        const positives = examples.filter(({ positive }) => positive);
        const negatives = examples.filter(({ positive }) => !positive);
        const wins = positives.flatMap((p) =>
          negatives.map((n) => (p.score > n.score ? 1 : p.score === n.score ? 0.5 : 0)),
        );
        const total = wins.reduce<number>((sum, win) => sum + win, 0);
        const pairs = wins.length === 0 ? undefined : total / wins.length;

        expect(auc(examples) ?? -1).toBeCloseTo(pairs ?? -1, 10);
      }),
    );
  });

  test('does not change with a monotonic change of the scores, and turns over with their sign', () => {
    fc.assert(
      fc.property(scores, (examples) => {
        const area = auc(examples);
        const changed = (by: (score: number) => number): number | undefined =>
          auc(examples.map(({ score, positive }) => ({ score: by(score), positive })));

        expect(changed((score) => Math.exp(3 * score))).toBe(area);
        if (area !== undefined) expect(changed((score) => -score)).toBeCloseTo(1 - area, 10);
      }),
    );
  });
});

describe('intervals', () => {
  test('Wilson: published values', () => {
    // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    const known = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const;
    for (const [successes, trials, low, high] of known) {
      const [from, to] = wilsonInterval(successes, trials);
      expect(from).toBeCloseTo(low, 4);
      expect(to).toBeCloseTo(high, 4);
    }
  });

  test('Wilson: holds the share, lies in [0, 1] and turns over with success and failure', () => {
    const counts = fc
      .integer({ min: 1, max: 500 })
      .chain((trials) => fc.tuple(fc.integer({ min: 0, max: trials }), fc.constant(trials)));
    fc.assert(
      fc.property(counts, ([successes, trials]) => {
        const [low, high] = wilsonInterval(successes, trials);
        const [otherLow, otherHigh] = wilsonInterval(trials - successes, trials);

        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(successes / trials);
        expect(high).toBeGreaterThanOrEqual(successes / trials);
        expect(low).toBeCloseTo(1 - otherHigh, 10);
        expect(high).toBeCloseTo(1 - otherLow, 10);
      }),
    );
  });

  test('Poisson: exact values, and none seen in an hour still allows three', () => {
    // Garwood 1936: half the chi-squared quantiles.
    expect(poissonInterval(0, 1)[0]).toBe(0);
    expect(poissonInterval(0, 1)[1]).toBeCloseTo(3.6889, 3);
    expect(poissonInterval(3, 1)[0]).toBeCloseTo(0.6187, 3);
    expect(poissonInterval(3, 1)[1]).toBeCloseTo(8.7673, 3);
    expect(poissonInterval(3, 0.5)[1]).toBeCloseTo(2 * 8.7673, 3);
    expect(poissonInterval(100, 1)[0]).toBeCloseTo(81.3639, 2);
    expect(poissonInterval(100, 1)[1]).toBeCloseTo(121.6271, 2);
  });

  test('bootstrap: draws whole groups, the same from the same seed', () => {
    const examples = Array.from({ length: 200 }, (_, n) => ({ group: `camera-${n % 20}`, value: n % 20 }));
    const mean = (sample: readonly { readonly value: number }[]): number =>
      sample.reduce((sum, { value }) => sum + value, 0) / sample.length;

    const interval = bootstrapInterval(examples, mean, { seed: 4 });

    expect(bootstrapInterval(examples, mean, { seed: 4 })).toEqual(interval);
    expect(bootstrapInterval(examples, mean, { seed: 5 })).not.toEqual(interval);
    // The mean of 20 draws of 0…19 deviates by 5.77 / √20 = 1.29: twice that to
    // either side of 9.5. Single clips would give 0.4.
    expect(interval![0]).toBeCloseTo(9.5 - 1.96 * 1.29, 0);
    expect(interval![1]).toBeCloseTo(9.5 + 1.96 * 1.29, 0);
  });

  test('bootstrap: none from a single group, and draws without a value do not count', () => {
    const one = [{ group: 'a' }, { group: 'a' }];

    expect(bootstrapInterval(one, () => 1, { seed: 1 })).toBeUndefined();
    expect(bootstrapInterval([{ group: 'a' }, { group: 'b' }], () => undefined, { seed: 1 })).toBeUndefined();
  });
});

describe('choice', () => {
  const labels = Array.from({ length: 20 }, (_, id) => `label-${id}`);
  const candidates = labels.map((_, id) => id);

  test('top-1 and top-5 follow the rank of the true label', () => {
    const ranks = fc.array(fc.integer({ min: 0, max: 19 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(ranks, (places) => {
        const examples = places.map((rank, n) => {
          const truth = (n * 7) % 20;
          // Others fill the places around it.
          const others = candidates.filter((id) => id !== truth);
          const order = [...others.slice(0, rank), truth, ...others.slice(rank)];
          return { group: `${n}`, truth: [truth], scores: candidates.map((id) => 20 - order.indexOf(id)) };
        });

        const { top1, top5 } = choiceFigures(examples, { candidates, labels });

        const share = (most: number): number => places.filter((rank) => rank < most).length / places.length;
        expect(top1).toBeCloseTo(share(1), 3);
        expect(top5).toBeCloseTo(share(5), 3);
      }),
    );
  });

  test('labels that are no choice are never chosen, and the confusion counts every clip once', () => {
    const examples = [
      { group: 'a', truth: [1], scores: [9, 2, 1] },
      { group: 'b', truth: [1], scores: [9, 1, 2] },
      { group: 'c', truth: [2], scores: [9, 1, 2] },
    ];

    const figures = choiceFigures(examples, { candidates: [1, 2], labels: ['background', 'hug', 'kick'] });

    expect(figures).toMatchObject({ n: 3, choices: 2, top1: 0.6667 });
    expect(figures.confusion).toEqual({ hug: { hug: 1, kick: 1 }, kick: { kick: 1 } });
    expect(figures).not.toHaveProperty('top5');
  });

  test('a clip with several labels is right with any of them', () => {
    const clip = { group: 'a', truth: [0, 2], scores: [1, 2, 3] };

    expect(choiceFigures([clip], { candidates: [0, 1, 2], labels: ['a', 'b', 'c'] }).top1).toBe(1);
  });

  test('equal scores are in the order of the candidates', () => {
    expect(bestOf([1, 1, 1], [2, 0, 1], 2)).toEqual([2, 0]);
  });
});

test('detection: accuracy counts both sides of the threshold, which belongs to the upper one', () => {
  const clip = (score: number, positive: boolean, n: number) => ({
    group: `g${n}`,
    truth: positive ? [1] : [],
    scores: [0, score],
  });
  const examples = [clip(0.5, true, 1), clip(0.49, true, 2), clip(0.5, false, 3), clip(0.1, false, 4)];

  const figures = detectionFigures(examples, { labelId: 1, threshold: 0.5, seed: 1 });

  expect(figures).toMatchObject({ n: 4, positives: 2, accuracy: 0.5, auc: 0.625 });
  expect(figures).toMatchObject({ true_positives: 1, false_positives: 1 });
});

test('compute: means an inference, ratios of sums, every kept step counted', () => {
  const work = (keptSteps: number, ms: number) => ({
    keptSteps,
    inputSteps: 12,
    multiplyAdds: keptSteps * 100,
    denseMultiplyAdds: 1200,
    reusedMultiplyAdds: 30,
    ms,
  });

  const figures = computeFigures([work(1, 10), work(1, 20), work(4, 30)]);

  expect(figures).toEqual({
    inferences: 3,
    kept_ratio: 0.1667,
    kept_steps: 2,
    input_steps: 12,
    histogram: { 1: 2, 4: 1 },
    multiply_adds: 200,
    dense_multiply_adds: 1200,
    multiply_adds_ratio: 0.1667,
    reused_multiply_adds: 30,
    multiply_adds_ratio_shared: 0.1709,
    ms: 20,
  });
  expect(computeFigures([])).toBeUndefined();
});
