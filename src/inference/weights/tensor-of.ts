import { ActionstreamError } from '../../core/errors.ts';
import type { BatchNormNames } from '../network/weight-shapes.ts';
import type { WeightTensor, Weights } from '../model.ts';
import type { BatchNorm } from './fold-batch-norm.ts';

/**
 * @throws ActionstreamError MODEL_INVALID where the weights lack the tensor (shapes were demanded
 * at load).
 */
export function tensorOf(weights: Weights, name: string): WeightTensor {
  const tensor = weights.get(name);
  if (!tensor) throw new ActionstreamError('MODEL_INVALID', `the weights hold no tensor "${name}"`);
  return tensor;
}

export function batchNormOf(weights: Weights, names: BatchNormNames, epsilon: number): BatchNorm {
  return {
    gamma: tensorOf(weights, names.gamma).data,
    beta: tensorOf(weights, names.beta).data,
    mean: tensorOf(weights, names.mean).data,
    variance: tensorOf(weights, names.variance).data,
    epsilon,
  };
}
