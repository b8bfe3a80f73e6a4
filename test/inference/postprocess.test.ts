import { describe, expect, it } from 'vitest';
import { scoresOf } from '../../src/inference/postprocess.ts';

describe('scores', () => {
  it('under softmax follow the logits and sum to one', () => {
    const scores = scoresOf(Float32Array.of(0, Math.log(3), Math.log(4)), 'softmax');

    expect([...scores].map((score) => Number(score.toFixed(6)))).toEqual([0.125, 0.375, 0.5]);
  });

  it('stay numbers for logits of any size', () => {
    expect([...scoresOf(Float32Array.of(3e38, -3e38, 0), 'softmax')]).toEqual([1, 0, 0]);
    expect([...scoresOf(Float32Array.of(3e38, -3e38, 0), 'sigmoid')]).toEqual([1, 0, 0.5]);
  });

  it('under sigmoid do not depend on one another', () => {
    const [alone] = scoresOf(Float32Array.of(2), 'sigmoid');
    const [, among] = scoresOf(Float32Array.of(9, 2, 9), 'sigmoid');

    expect(among).toBe(alone);
  });
});
