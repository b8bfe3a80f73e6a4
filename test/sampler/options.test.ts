import { describe, expect, it } from 'vitest';
import { DEFAULT_SAMPLER, parseSamplerOptions, planSampling } from '../../src/sampler/index.ts';
import type { SamplerOptions } from '../../src/sampler/index.ts';
import { embeddingsOf, rowsOf } from './embeddings.ts';

describe('baselines', () => {
  it('none is the identity and reads no embeddings', () => {
    const plan = planSampling({ length: 3, size: 0, data: new Float32Array() }, { kind: 'none' });

    expect(rowsOf(plan)).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    expect(Array.from(plan.groupOf)).toEqual([0, 1, 2]);
  });

  it('uniform keeps every stride-th step, and at least one', () => {
    const kept = (length: number, stride: number): number[] =>
      Array.from(
        planSampling({ length, size: 0, data: new Float32Array() }, { kind: 'uniform', stride }).groupOf,
      );

    expect(kept(5, 2)).toEqual([0, -1, 1, -1, 2]);
    expect(kept(3, 8)).toEqual([0, -1, -1]);
    expect(kept(0, 8)).toEqual([]);
  });
});

describe('options', () => {
  it.each<[object, SamplerOptions]>([
    [{ kind: 'none' }, { kind: 'none' }],
    [{ kind: 'uniform' }, { kind: 'uniform', stride: 2 }],
    [{ kind: 'ordered' }, DEFAULT_SAMPLER],
    [
      { kind: 'ordered', width: 0, distance: undefined },
      { kind: 'ordered', width: 0, distance: 'l2' },
    ],
    [
      { kind: 'reference', bins: 8, kernel: 'delta', distance: 'l1' },
      { kind: 'reference', bins: 8, kernel: 'delta', distance: 'l1' },
    ],
  ])('parse %j, defaults filled in', (given, expected) => {
    expect(parseSamplerOptions(given)).toEqual(expected);
  });

  it.each<[unknown, RegExp]>([
    ['ordered', /expected an object/],
    [{}, /sampler.kind: expected one of none, uniform, reference, ordered/],
    [{ kind: 'toString' }, /sampler.kind/],
    [{ kind: 'ordered', width: -1 }, /sampler.width: expected a number of 0 or more, not -1/],
    [{ kind: 'ordered', width: Infinity }, /sampler.width/],
    [{ kind: 'ordered', stride: 2 }, /sampler.stride: ordered takes width, distance, noiseFloor/],
    [{ kind: 'none', stride: 2 }, /none takes no options/],
    [{ kind: 'uniform', stride: 0 }, /sampler.stride: expected a whole number of 1 or more, not 0/],
    [{ kind: 'reference', bins: 2.5 }, /sampler.bins: expected a whole number from 1 to 65536/],
    [{ kind: 'reference', bins: 1e9 }, /sampler.bins/],
    [{ kind: 'reference', kernel: 'cubic' }, /sampler.kernel: expected one of linear, /],
    [{ kind: 'ordered', distance: 'cosine' }, /sampler.distance: expected one of l2, l1, not cosine/],
  ])('refuse %j', (given, message) => {
    expect(() => parseSamplerOptions(given)).toThrow(
      expect.objectContaining({ code: 'SAMPLER_INVALID', message: expect.stringMatching(message) as string }),
    );
  });

  it('planning refuses what parsing would refuse', () => {
    expect(() => planSampling(embeddingsOf([[1]]), { kind: 'uniform', stride: -1 })).toThrow(
      /sampler.stride/,
    );
  });
});

describe('embeddings', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'a wrong length',
      () => planSampling({ length: 2, size: 2, data: new Float32Array(3) }, DEFAULT_SAMPLER),
      /\[2 × 2\] needs 4 values, but there are 3/,
    ],
    [
      'no values a step',
      () => planSampling({ length: 2, size: 0, data: new Float32Array(0) }, DEFAULT_SAMPLER),
      /at least one value/,
    ],
    [
      'a value that is not finite',
      () =>
        planSampling(
          embeddingsOf([
            [1, 2],
            [3, NaN],
          ]),
          DEFAULT_SAMPLER,
        ),
      /value 1 of step 1 is NaN/,
    ],
  ])('%s is refused', (_, act, message) => {
    expect(act).toThrow(
      expect.objectContaining({ code: 'SAMPLER_INVALID', message: expect.stringMatching(message) as string }),
    );
  });

  it('no steps give an empty plan', () => {
    for (const kind of ['none', 'uniform', 'reference', 'ordered']) {
      const plan = planSampling(
        { length: 0, size: 4, data: new Float32Array() },
        parseSamplerOptions({ kind }),
      );
      expect(plan.outputLength).toBe(0);
    }
  });
});
