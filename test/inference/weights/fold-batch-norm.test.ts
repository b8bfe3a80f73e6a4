import { expect, test } from 'vitest';
import { foldBatchNorm } from '../../../src/inference/weights/fold-batch-norm.ts';

// Two outputs, two inputs, kernel of two taps.
const weight = { shape: [2, 2, 1, 1, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
const norm = {
  gamma: Float32Array.of(2, 3),
  beta: Float32Array.of(0.5, -0.5),
  mean: Float32Array.of(1, -1),
  variance: Float32Array.of(3, 8),
  epsilon: 1,
};

test('a folded layer is the layer and then its batch norm', () => {
  const { weight: folded, bias } = foldBatchNorm(weight, norm);

  // Scales are 2/√4 = 1 and 3/√9 = 1: the rows stay, the shift is β − s·mean.
  expect([...folded]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect([...bias]).toEqual([-0.5, 0.5]);
});

test('the scale of a row comes from its own output channel', () => {
  const { weight: folded } = foldBatchNorm(weight, { ...norm, gamma: Float32Array.of(4, 0) });

  expect([...folded]).toEqual([2, 4, 6, 8, 0, 0, 0, 0]);
});

test('a bias before the batch norm is scaled with it', () => {
  const { bias } = foldBatchNorm(
    weight,
    { ...norm, gamma: Float32Array.of(4, 6) },
    { bias: Float32Array.of(10, 20) },
  );

  expect([...bias]).toEqual([0.5 + 2 * (10 - 1), -0.5 + 2 * (20 + 1)]);
});

test('an input scale goes to the taps of its own input channel', () => {
  const { weight: folded } = foldBatchNorm(weight, norm, { inputScale: [10, 100] });

  expect([...folded]).toEqual([10, 20, 300, 400, 50, 60, 700, 800]);
});

test('folding loses no more than the last rounding to float32', () => {
  const tiny = { ...norm, variance: Float32Array.of(1e-12, 1e6), epsilon: 1e-3 };
  const { weight: folded } = foldBatchNorm(weight, tiny);

  expect(folded[0]).toBe(Math.fround(2 / Math.sqrt(tiny.variance[0]! + 1e-3)));
  expect(folded[7]).toBe(Math.fround((8 * 3) / Math.sqrt(1e6 + 1e-3)));
});
