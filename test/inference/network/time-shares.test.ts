import { describe, expect, test } from 'vitest';
import { buildNetwork } from '../../../src/inference/network/build.ts';
import { headStepShares } from '../../../src/inference/mean-matrices.ts';
import type { NetworkOptions } from '../../../src/inference/network/graph.ts';
import { timeMeansOf, timeShares } from '../../../src/inference/network/time-shares.ts';

const SGS = { after: 'Conv_2b', embedding: { kind: 'pooled', grid: 1 }, boundary: 'as_is' } as const;

describe('shares of steps in means over time', () => {
  test('of a dense clip are those of the published network', () => {
    for (const pooling of ['window', 'space', 'whole'] as const) {
      const network = networkOf({ pooling });
      const shares = timeShares(network, Array<number>(32).fill(1));
      // 32 steps at the cut, 16 behind MaxPool_4a, 8 behind MaxPool_5a.
      const head = [...headStepShares({ pooling }, [8, 7, 7])];

      expectClose(shares.get('Head'), head);
      expectClose(shares.get('Conv_2c.gate'), Array<number>(32).fill(1 / 32));
      expectClose(shares.get('Mixed_5c.b3.gate'), Array<number>(8).fill(1 / 8));
    }
  });

  test('of kept steps are the parts of the time that they stand for', () => {
    const shares = timeShares(networkOf({ pooling: 'whole' }), [20, 4, 8]);

    expectClose(shares.get('Conv_2c.gate'), [20 / 32, 4 / 32, 8 / 32]);
    // The first step behind the stride stands for the first two.
    expectClose(shares.get('Mixed_4b.b0.gate'), [24 / 32, 8 / 32]);
    expectClose(shares.get('Head'), [1]);
  });

  test('in a sliding window, runs of equal steps have the share of all their steps', () => {
    const network = networkOf({ pooling: 'window' });
    const dense = timeShares(network, Array<number>(32).fill(1)).get('Head')!;

    // Steps at the end stand for 8, 16 and 8 of 32: of the 8 dense ones the
    // first two, the middle four and the last two.
    const sum = (from: number, to: number): number => dense.slice(from, to).reduce((a, b) => a + b);
    expectClose(timeShares(network, [8, 0, 0, 0, 16, 0, 0, 0, 8, 0, 0, 0]).get('Head'), [
      sum(0, 2),
      sum(2, 6),
      sum(6, 8),
    ]);
  });

  test('one kept step has all of it', () => {
    for (const pooling of ['window', 'space', 'whole'] as const) {
      for (const shares of timeShares(networkOf({ pooling }), [32]).values()) expectClose(shares, [1]);
    }
  });

  test('are asked for above the cut alone, and only where the network weighs by them', () => {
    expect(timeMeansOf(networkOf({ timeMeans: 'plain' }))).toEqual([]);
    const above = timeMeansOf(networkOf({ sgs: { ...SGS, after: 'MaxPool_4a' } }));

    expect(above.find(({ node }) => node === 'Mixed_3c.b0.gate')).toBeUndefined();
    expect(above.find(({ node }) => node === 'Mixed_5b.b0.gate')).toMatchObject({ level: 1, op: 'gate' });
    expect(above.at(-1)).toMatchObject({ node: 'Head', op: 'head' });
  });
});

function networkOf(options: Partial<NetworkOptions>) {
  return buildNetwork({ variant: 's3d-g', timeMeans: 'multiplicity', sgs: SGS, ...options });
}

function expectClose(found: Float32Array | undefined, expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  found?.forEach((share, t) => {
    expect(share).toBeCloseTo(expected[t]!, 6);
  });
}
