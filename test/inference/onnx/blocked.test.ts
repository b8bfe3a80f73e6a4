import { arch } from 'node:os';
import { expect, test } from 'vitest';
import { findBlockSize } from '../../../src/inference/engines/onnx/blocked/block-size.ts';
import {
  channelsInMemory,
  placesOf,
} from '../../../src/inference/engines/onnx/blocked/blocked-activation.ts';
import { blockFilter } from '../../../src/inference/engines/onnx/blocked/blocked-filter.ts';
import { stemGap } from '../../../src/inference/engines/onnx/blocked/stacked-stem.ts';
import { buildGraphs } from '../../../src/inference/engines/onnx/build-graphs.ts';
import { buildNetwork } from '../../../src/inference/network/build.ts';
import type { NetworkOptions } from '../../../src/inference/network/graph.ts';
import { bindWeights } from '../../../src/inference/weights/bind-weights.ts';
import { createUntrainedModel } from '../../../src/inference/weights/untrained-model.ts';

test('the runtime says how many channels lie side by side: 8 or 16 where it has blocked memory', async () => {
  const size = await findBlockSize();

  if (arch() === 'x64') expect([8, 16]).toContain(size);
  else expect(size).toBeUndefined();
});

test('runs of channels are filled up to whole blocks, each for itself', () => {
  expect(channelsInMemory([12, 8, 3], 8)).toBe(32);
  expect(placesOf([3, 2], 8)).toEqual([0, 1, 2, 8, 9]);
});

test('a filter is blocked by output and input channels, and channels that fill a block are zero', () => {
  // Weight of output o, input i, tap k: 100·o + 10·i + k.
  const weight = Float32Array.from({ length: 3 * 3 * 2 }, (_, n) => {
    const [o, i, k] = [Math.floor(n / 6), Math.floor(n / 2) % 3, n % 2];
    return 100 * o + 10 * i + k;
  });

  const { data, channels } = blockFilter(weight, { outputs: 3, inputRuns: [2, 1], size: 4 });

  expect(channels).toEqual([4, 8]);
  // [o/4, i/4, tap, i in block, o in block]
  const at = (block: number, tap: number, i: number, o: number): number =>
    data[((block * 2 + tap) * 4 + i) * 4 + o]!;
  expect(at(0, 1, 1, 2)).toBe(211);
  expect(at(1, 0, 0, 2)).toBe(220);
  expect(at(0, 0, 2, 0)).toBe(0);
  expect(at(1, 1, 0, 3)).toBe(0);
});

test('a plain input of few channels keeps them one by one', () => {
  const weight = Float32Array.of(1, 2, 3, 4, 5, 6);

  const { data, channels } = blockFilter(weight, { outputs: 2, inputRuns: [3], size: 4, isPlain: true });

  expect(channels).toEqual([4, 3]);
  expect([...data]).toEqual([1, 4, 0, 0, 2, 5, 0, 0, 3, 6, 0, 0]);
});

test.each([
  ['224² separable: three rows of padding above a picture, one more for the stride', {}, 4],
  ['a height that the stride does not divide', { height: 37 }, 3],
  ['a dense stem is no single picture', { stem: 'dense' }, undefined],
  ['motion is computed frame by frame', { input: { kind: 'motion' } }, undefined],
  ['a stem that no temporal convolution follows', { variant: 'i2d' }, undefined],
] as const satisfies readonly (readonly [string, Partial<NetworkOptions>, number | undefined])[])(
  'rows between stacked pictures: %s',
  (_, options, gap) => {
    expect(stemGap(buildNetwork(options))).toBe(gap);
  },
);

test('graphs are blocked only where the cut holds whole blocks: rows of features are counted in real channels', () => {
  const graphsAt = (widthMultiplier: number): string => {
    const sgs = { after: 'Conv_2b', embedding: { kind: 'pooled', grid: 2 }, boundary: 'as_is' } as const;
    const options = { frames: 4, height: 32, width: 32, classes: 3, widthMultiplier, sgs };
    const { manifest, weights } = createUntrainedModel({ network: options, seed: 0 });
    const network = buildNetwork(manifest.network);
    const bound = bindWeights(network, weights, manifest.id).weights;
    const graphs = buildGraphs(network, bound, { blockSize: 8 });
    return 'whole' in graphs ? '' : new TextDecoder('latin1').decode(graphs.lower);
  };

  expect(graphsAt(0.125)).toContain('com.microsoft.nchwc');
  expect(graphsAt(0.07)).not.toContain('com.microsoft.nchwc');
});
