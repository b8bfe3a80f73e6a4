import type { WeightTensor } from '../model.ts';

export interface BatchNorm {
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly epsilon: number;
}

export interface FoldedLayer {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/**
 * A linear layer and the batch norm after it as one layer: w′ = s·w, b′ = β + s·(b − mean), s =
 * γ/√(variance + ε), a row of weights an output channel. float64 throughout, rounded once.
 * `inputScale` multiplies the weights of each input channel: it carries the pixel scale into the
 * first convolution, whose padding stays zero.
 */
export function foldBatchNorm(
  { shape, data }: WeightTensor,
  norm: BatchNorm,
  { bias, inputScale }: { readonly bias?: Float32Array; readonly inputScale?: readonly number[] } = {},
): FoldedLayer {
  const outputs = norm.gamma.length;
  const row = data.length / outputs;
  const taps = row / (shape[1] ?? row);
  const weight = new Float32Array(data.length);
  const folded = new Float32Array(outputs);
  norm.gamma.forEach((gamma, channel) => {
    const scale = gamma / Math.sqrt(at(norm.variance, channel) + norm.epsilon);
    const before = (bias ? at(bias, channel) : 0) - at(norm.mean, channel);
    folded[channel] = at(norm.beta, channel) + scale * before;
    for (let i = 0; i < row; i++) {
      const input = inputScale?.[Math.floor(i / taps)] ?? 1;
      weight[channel * row + i] = at(data, channel * row + i) * scale * input;
    }
  });
  return { weight, bias: folded };
}

function at(values: Float32Array, index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`no element ${index} in a tensor of ${values.length}`);
  return value;
}
