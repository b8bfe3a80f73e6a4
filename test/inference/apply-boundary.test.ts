import { describe, expect, test } from 'vitest';
import { buildNetwork } from '../../src/inference/network/build.ts';
import type { NetworkOptions, SgsOptions } from '../../src/inference/network/graph.ts';
import { completeSteps, applyBoundary } from '../../src/inference/apply-boundary.ts';

const sgs = {
  after: 'Conv_2b',
  embedding: { kind: 'pooled', grid: 1 },
  boundary: 'nearest_complete',
} as const;

function network(options: Partial<NetworkOptions>, change: Partial<SgsOptions> = {}) {
  return buildNetwork({ frames: 32, height: 32, width: 32, sgs: { ...sgs, ...change }, ...options });
}

describe('steps that see only frames', () => {
  test.each([
    ['stem 7 stride 2, symmetric: frames 2t−3 … 2t+3', { variant: 's3d-g' }, {}, [2, 14]],
    [
      'TensorFlow SAME pads one less in front: 2t−2 … 2t+4',
      { variant: 's3d-g', padding: 'same' },
      {},
      [1, 13],
    ],
    [
      'motion input also needs the frame before',
      { variant: 's3d-g', input: { kind: 'motion' } },
      {},
      [2, 14],
    ],
    ['a flat stem sees one frame a step', { variant: 'i2d' }, {}, [0, 15]],
    ['Mixed_3c sees three more 3-kernels', { variant: 's3d-g' }, { after: 'Mixed_3c' }, [5, 11]],
  ] as const)('%s', (_, options, change, expected) => {
    expect(completeSteps(network(options, change))).toEqual(expected);
  });

  test('a clip shorter than the field has none, and as_is asks for none', () => {
    expect(completeSteps(network({ frames: 5 }))).toBeUndefined();
    expect(completeSteps(network({}, { boundary: 'as_is' }))).toBeUndefined();
  });
});

test('boundary steps take the nearest complete embedding, the others keep theirs', () => {
  const data = Float32Array.from({ length: 16 }, (_, step) => step);

  const settled = applyBoundary(network({}), { length: 16, size: 1, data });

  expect(Array.from(settled.data)).toEqual([2, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 14]);
  expect(data[0]).toBe(0);
});
