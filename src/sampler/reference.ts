import { ActionstreamError } from '../core/errors.ts';
import { distancesToMean } from './distance.ts';
import { EDGE_WEIGHT, kernelRow } from './kernel.ts';
import { planOf } from './plan.ts';
import type { Embeddings, ReferenceOptions, SamplingPlan } from './types.ts';

/**
 * Similarity Guided Sampling as the official code computes it (Fayyaz et al., CVPR 2021; MODELS.md §2.1), for parity
 * and for weights trained with it. Every operation is rounded to single precision where the official code rounds.
 * Its defects (MODELS.md §2.4) are part of the definition: the step farthest from the mean weighs 1e-7, a static clip
 * becomes one row of 1e-7, steps before and after the mean fold together, and rows stand in order of similarity.
 *
 * Bins in which every weight is 0 are dropped. Where rounding empties the last bin too, the official code
 * fails; here the farthest steps then keep the weight that exact arithmetic gives them, so a plan always has a row.
 */
export function planReference(embeddings: Embeddings, options: ReferenceOptions): SamplingPlan {
  const { length } = embeddings;
  if (length === 0) return planOf([], 0);
  const bins = options.bins ?? length;
  const distances = scaledDistances(embeddings, bins, options.distance);
  const largest = distances.reduce((a, b) => Math.max(a, b));

  const binSize = Math.fround(largest / bins);
  const halfWidth = Math.fround(binSize / 2);
  const rows: Float32Array[] = [];
  for (let b = 0; b < bins; b += 1) {
    const centre = Math.fround(Math.fround(b * binSize) + halfWidth);
    const row = kernelRow(distances, { centre, halfWidth }, options.kernel);
    if (row.some((weight) => weight !== 0)) rows.push(row);
  }
  if (rows.length === 0) rows.push(distances.map((distance) => (distance === largest ? EDGE_WEIGHT : 0)));
  return planOf(rows, length);
}

/** Δ'_t = Δ_t · (2B / max Δ): the official code divides by taking the reciprocal first. */
function scaledDistances(
  embeddings: Embeddings,
  bins: number,
  distance: ReferenceOptions['distance'],
): Float32Array {
  const distances = distancesToMean(embeddings, distance);
  const largest = distances.reduce((a, b) => Math.max(a, b));
  const scale = Math.fround(Math.fround(1 / largest) * (2 * bins));
  if (!Number.isFinite(largest) || !Number.isFinite(scale)) {
    throw new ActionstreamError(
      'SAMPLER_INVALID',
      `embeddings: a distance of ${largest} to the mean is beyond single precision; scale the embeddings down`,
    );
  }
  return distances.map((value) => value * scale);
}
