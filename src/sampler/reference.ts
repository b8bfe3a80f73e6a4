import { distancesToMean } from './distance.ts';
import { kernelRow } from './kernel.ts';
import { planOf } from './plan.ts';
import type { Embeddings, ReferenceOptions, SamplingPlan } from './types.ts';

/**
 * Similarity Guided Sampling as the official code computes it (Fayyaz et al., CVPR 2021; arXiv:2011.08652),
 * for parity and for weights trained with it. Its defects (ADR 0006) are part of the definition: the
 * step farthest from the mean weighs 1e-7, a static clip becomes one row of 1e-7, steps before and after the
 * mean fold together, and rows stand in order of similarity. Bins in which every weight is 0 are dropped.
 *
 * In double precision. The farthest step lies exactly on the last bin's edge, so in the single precision of
 * the official code the processor's rounding decides whether its row exists, or whether delta counts it;
 * this gives what the formula says. Hence a plan always has a row: that of the farthest step (ADR 0006).
 */
export function planReference(embeddings: Embeddings, options: ReferenceOptions): SamplingPlan {
  const { length } = embeddings;
  if (length === 0) return planOf([], 0);
  const bins = options.bins ?? length;
  const distances = distancesToMean(embeddings, options.distance);
  const largest = distances.reduce((a, b) => Math.max(a, b));
  const scaled = distances.map((distance) => (2 * bins * distance) / largest);

  const rows: Float32Array[] = [];
  for (let b = 0; b < bins; b += 1) {
    const row = kernelRow(scaled, 2 * b + 1, options.kernel);
    if (row.some((weight) => weight !== 0)) rows.push(row);
  }
  return planOf(rows, length);
}
