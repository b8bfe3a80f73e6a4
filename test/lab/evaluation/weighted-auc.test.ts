import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sortedAuc } from '../../../src/lab/evaluation/auc.ts';

const answer = fc.record({ score: fc.integer({ min: 0, max: 5 }), positive: fc.boolean() });

describe('area under the curve', () => {
  test('is the share of pairs that are in order, equal scores counting half, items as often as their weight', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(answer, fc.integer({ min: 0, max: 3 })), { maxLength: 30 }), (drawn) => {
        const answers = drawn.map(([one], item) => ({ ...one, item })).toSorted((a, b) => a.score - b.score);
        const weights = drawn.map(([, weight]) => weight);
        const repeated = drawn.flatMap(([one, weight]) => new Array<typeof one>(weight).fill(one));
        const positives = repeated.filter(({ positive }) => positive);
        const negatives = repeated.filter(({ positive }) => !positive);
        const wins = positives.flatMap((p) =>
          negatives.map((n) => (p.score > n.score ? 1 : p.score === n.score ? 0.5 : 0)),
        );
        const expected = wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;

        const found = sortedAuc(answers, ({ item }) => weights[item]!);

        if (Number.isNaN(expected)) expect(found).toBeUndefined();
        else expect(found).toBeCloseTo(expected, 12);
      }),
    );
  });
});
