import { expect, test } from 'vitest';
import { fitHeads, scoreOf, standardise } from '../../../src/lab/teach/linear-head.ts';
import { fitLogistic, type LogisticData } from '../../../src/lab/teach/logistic.ts';

/** Deterministic numbers in [−1, 1). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

function randomData(count: number, size: number): LogisticData {
  const next = numbers(7);
  const rows = Float64Array.from({ length: count * size }, next);
  const targets = Uint8Array.from({ length: count }, (_, i) => (rows[i * size]! + next() > 0.3 ? 1 : 0));
  return { rows, size, targets, weights: Float64Array.from({ length: count }, () => 1.5 + next()) };
}

/** Computed apart from the code under test: Σ w (σ(z) − y) x + λβ. */
function gradientOf(
  { rows, size, targets, weights }: LogisticData,
  lambda: number,
  at: Float64Array,
): number[] {
  const slopes = Array.from(targets, (target, row) => {
    const z = Array.from({ length: size }, (_, i) => rows[row * size + i]! * at[i]!).reduce(
      (a, b) => a + b,
      at[size]!,
    );
    return weights[row]! * (1 / (1 + Math.exp(-z)) - target);
  });
  const ofFeature = (i: number): number =>
    slopes.reduce((sum, slope, row) => sum + slope * rows[row * size + i]!, lambda * at[i]!);
  return [...Array.from({ length: size }, (_, i) => ofFeature(i)), slopes.reduce((a, b) => a + b, 0)];
}

test.each([0.01, 1, 100])('the penalised likelihood has no slope at the fit, λ %d', (lambda) => {
  const data = randomData(60, 90);

  const fitted = fitLogistic(data, lambda);

  // The objective is strictly convex in β and both targets occur: a point without slope is the only minimum.
  for (const slope of gradientOf(data, lambda, fitted)) expect(Math.abs(slope)).toBeLessThan(1e-4);
});

test('one binary feature gives the coefficients of the closed form', () => {
  // x = ±1 with 3 of 4 and 1 of 4 positive; without penalty b = 0 and β = ln 3.
  const rows = Float64Array.from([1, 1, 1, 1, -1, -1, -1, -1]);
  const targets = Uint8Array.from([1, 1, 1, 0, 1, 0, 0, 0]);

  const [beta, intercept] = fitLogistic({ rows, size: 1, targets, weights: new Float64Array(8).fill(1) }, 0);

  expect(beta).toBeCloseTo(Math.log(3), 4);
  expect(intercept).toBeCloseTo(0, 4);
});

test('another start ends in the same place', () => {
  const data = randomData(40, 8);
  const near = fitLogistic(data, 3);

  const fitted = fitLogistic(data, 1, near);

  const alone = fitLogistic(data, 1);
  fitted.forEach((value, i) => {
    expect(value).toBeCloseTo(alone[i]!, 4);
  });
});

test('heads score features as they are: mean and scale are folded in, a constant feature counts nothing', () => {
  const next = numbers(3);
  const features = Array.from({ length: 30 }, () => Float32Array.from([1000 + 50 * next(), next() / 100, 7]));
  const rows = features.map((of) => ({ features: of, weight: 1 }));
  const targets = Uint8Array.from(features, ([first]) => (first! > 1000 ? 1 : 0));
  const standardised = standardise(rows);

  const [head] = fitHeads(standardised, targets, [0.1]);

  const coefficients = fitLogistic({ ...standardised, targets }, 0.1);
  expect(head!.weights[2]).toBe(0);
  features.forEach((of, row) => {
    const z =
      coefficients[3]! +
      [0, 1, 2].reduce((sum, i) => sum + coefficients[i]! * standardised.rows[row * 3 + i]!, 0);
    expect(scoreOf(head!, of)).toBeCloseTo(1 / (1 + Math.exp(-z)), 5);
    expect(scoreOf(head!, of) > 0.5).toBe(targets[row] === 1);
  });
});
