import { fitLogistic } from './logistic.ts';

/** A row that a label learns from: a window under a sampler. */
export interface Row {
  readonly features: Float32Array;
  readonly weight: number;
}

/** score = σ(features·weights + bias), on features as the network gives them. */
export interface LabelHead {
  readonly weights: Float64Array;
  readonly bias: number;
}

/** Rows with every feature at mean 0 and variance 1. */
export interface Standardised {
  readonly rows: Float64Array;
  readonly size: number;
  readonly weights: Float64Array;
  readonly mean: Float64Array;
  /** 1/σ; 0 for a feature that never changes. */
  readonly scale: Float64Array;
}

/** What a constant feature varies by, as a share of its mean. */
const ROUNDING = 1e-9;

/** @param rows at least one, all of one size */
export function standardise(rows: readonly Row[]): Standardised {
  const size = rows[0]?.features.length ?? 0;
  const weights = Float64Array.from(rows, ({ weight }) => weight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const [mean, variance] = [new Float64Array(size), new Float64Array(size)];
  for (const { features, weight } of rows) {
    for (let i = 0; i < size; i += 1) mean[i]! += (weight / total) * features[i]!;
  }
  for (const { features, weight } of rows) {
    for (let i = 0; i < size; i += 1) variance[i]! += (weight / total) * (features[i]! - mean[i]!) ** 2;
  }
  const scale = variance.map((value, i) => (value > (ROUNDING * mean[i]!) ** 2 ? 1 / Math.sqrt(value) : 0));
  const values = new Float64Array(rows.length * size);
  rows.forEach(({ features }, row) => {
    for (let i = 0; i < size; i += 1) values[row * size + i] = (features[i]! - mean[i]!) * scale[i]!;
  });
  return { rows: values, size, weights, mean, scale };
}

/**
 * A head for each λ, in the order given; each starts where the one before ended, so strong penalties
 * go first. Mean and scale are folded into the weights.
 */
export function fitHeads(
  { rows, size, weights, mean, scale }: Standardised,
  targets: Uint8Array,
  lambdas: readonly number[],
): readonly LabelHead[] {
  let coefficients: Float64Array | undefined;
  return lambdas.map((lambda) => {
    coefficients = fitLogistic({ rows, size, targets, weights }, lambda, coefficients);
    const folded = scale.map((value, i) => value * coefficients![i]!);
    const shift = folded.reduce((sum, value, i) => sum + value * mean[i]!, 0);
    return { weights: folded, bias: coefficients[size]! - shift };
  });
}

/** In [0, 1]. */
export function scoreOf({ weights, bias }: LabelHead, features: Float32Array): number {
  let z = bias;
  for (let i = 0; i < weights.length; i += 1) z += weights[i]! * features[i]!;
  return 1 / (1 + Math.exp(-z));
}
