import { describe, expect, it } from 'vitest';
import {
  agreementOf,
  blocksNeeded,
  decisionsAtLeast,
  heldDecisions,
  type ComparedWindow,
} from '../../../src/lab/evaluation/agreement.ts';

const THRESHOLDS = [0.5, 0.6, 0.5];

describe('agreement of a sampled network with the dense one', () => {
  it('by hand, of labels that stand for themselves', () => {
    const windows = [
      // The first label changes sides, and the second becomes the best.
      window('a', [0.7, 0.55, 0.1], [0.4, 0.55, 0.1]),
      window('a', [0.2, 0.3, 0.9], [0.2, 0.3, 0.9]),
    ];

    const found = agreementOf(windows, THRESHOLDS);

    expect(found).toMatchObject({ windows: 2, top1: 0.5, kept_ratio: 0.25 });
    expect(found.decisions).toBeCloseTo(5 / 6, 12);
    expect(found.mean_abs_score).toBeCloseTo(0.3 / 6, 12);
    expect(found.kl).toBeCloseTo((0.7 * Math.log(0.7 / 0.4) + 0.3 * Math.log(0.3 / 0.6)) / 2, 9);
    expect(found.multiply_adds_ratio).toBeCloseTo(0.4, 12);
    expect(found.time_ratio).toBeCloseTo(0.5, 12);
  });

  it('of a softmax the divergence is that of the one distribution', () => {
    const softmax = (scores: readonly number[]) => ({ ...run(scores), logits: scores.map(Math.log) });
    const dense = softmax([0.5, 0.3, 0.2]);
    const sampled = softmax([0.25, 0.25, 0.5]);

    const { kl } = agreementOf([{ block: 'a', dense, sampled }], THRESHOLDS);

    const expected = 0.5 * Math.log(2) + 0.3 * Math.log(0.3 / 0.25) + 0.2 * Math.log(0.2 / 0.5);
    expect(kl).toBeCloseTo(expected, 9);
  });

  it('a score on the threshold is on, on both sides', () => {
    const { decisions } = agreementOf([window('a', [0.5, 0.6, 0.4], [0.9, 0.9, 0.49])], THRESHOLDS);

    expect(decisions).toBe(1);
  });

  it('is sure of no more than its footage shows: fewer blocks, a lower bound', () => {
    const same = (count: number) =>
      Array.from({ length: count }, (_, n) => window(`block ${n}`, [0.9, 0.1, 0.1], [0.8, 0.1, 0.1]));
    const few = decisionsAtLeast(same(5), THRESHOLDS, 1);
    const many = decisionsAtLeast(same(200), THRESHOLDS, 1);

    expect(few).toBeLessThan(0.95);
    expect(many).toBeGreaterThan(0.99);
    expect(many).toBeLessThan(1);
    expect(decisionsAtLeast(same(5), THRESHOLDS, 1)).toBe(few);
  });

  it('of a softmax a window is one decision, of labels that stand for themselves each label is', () => {
    const alone = [
      window('a', [0.7, 0.1, 0.1], [0.4, 0.1, 0.1]),
      window('b', [0.7, 0.1, 0.1], [0.8, 0.1, 0.1]),
    ];
    const together = alone.map((one) => ({ ...one, dense: { ...one.dense, logits: [2, 0, 0] } }));

    expect(heldDecisions(alone, THRESHOLDS)).toBeCloseTo(5 / 6, 12);
    expect(heldDecisions(together, THRESHOLDS)).toBe(0.5);
    expect(decisionsAtLeast(together, THRESHOLDS, 1)).toBe(0);
  });

  it.each([0.9, 0.98])('says how many blocks it takes to show %d', (share) => {
    const all = Array.from({ length: 400 }, (_, n) => window(`block ${n}`, [0.9, 0.1, 0.1], [0.9, 0.1, 0.1]));
    const needed = blocksNeeded(share, all, THRESHOLDS);

    expect(decisionsAtLeast(all.slice(0, needed), THRESHOLDS, 0)).toBeGreaterThanOrEqual(share);
    expect(decisionsAtLeast(all.slice(0, needed / 2), THRESHOLDS, 0)).toBeLessThan(share);
    expect(blocksNeeded(1, all, THRESHOLDS)).toBe(Infinity);
  });

  it('windows of one block count as one: they fail together', () => {
    const windows = Array.from({ length: 40 }, (_, n) =>
      window(`block ${n % 4}`, [0.9, 0.1, 0.1], [n % 4 ? 0.9 : 0.1, 0.1, 0.1]),
    );
    const apart = windows.map((one, n) => ({ ...one, block: `block ${n}` }));

    expect(decisionsAtLeast(windows, THRESHOLDS, 3)).toBeLessThan(decisionsAtLeast(apart, THRESHOLDS, 3));
  });
});

function window(block: string, dense: readonly number[], sampled: readonly number[]): ComparedWindow {
  return {
    block,
    dense: { ...run(dense), keptSteps: 12, multiplyAdds: 1000, ms: 10 },
    sampled: run(sampled),
  };
}

function run(scores: readonly number[]): ComparedWindow['sampled'] {
  const logits = scores.map((score) => Math.log(score / (1 - score)));
  return { scores, logits, keptSteps: 3, inputSteps: 12, multiplyAdds: 400, ms: 5 };
}
