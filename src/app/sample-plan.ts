import { ActionstreamError } from '../core/errors.ts';
import { loadNpy } from '../inference/weights/npy.ts';
import { planSampling, type SamplingPlan } from '../sampler/index.ts';
import type { SamplerSettings } from '../config/index.ts';
import { samplerOptions } from './model-choice.ts';

/**
 * `sample`: the sampling plan of the embeddings in a `.npy`, float32 [T, L].
 * @throws INPUT_INVALID, SAMPLER_INVALID
 */
export async function samplePlan(path: string, sampler: SamplerSettings): Promise<SamplingPlan> {
  const { shape, data } = await loadNpy(path);
  const [length, size] = shape;
  if (!(data instanceof Float32Array) || shape.length !== 2 || length === undefined || size === undefined) {
    throw new ActionstreamError(
      'INPUT_INVALID',
      `${path}: embeddings must be float32 [T, L], not [${shape.join(', ')}]`,
    );
  }
  return planSampling({ length, size, data }, samplerOptions(sampler));
}
