import type { Embeddings, SamplingPlan } from '../../../sampler/index.ts';
import type { Weights } from '../../model.ts';
import type { SgsNode } from '../../network/graph.ts';
import { sgsNames } from '../../network/weight-shapes.ts';
import { channelMeans, fullyConnected, normalise } from './ops.ts';
import { zeros, type Tensor } from './tensor.ts';

/** One embedding z_t a time step of the map: the space in which SGS compares steps. */
export function embedSteps(input: Tensor, node: SgsNode, weights: Weights): Embeddings {
  const steps = Array.from({ length: input.t }, (_, t) =>
    node.embedding.kind === 'learned'
      ? embedLearned(input, t, node, weights)
      : embedCells(input, t, node.embedding),
  );
  const size = steps[0]?.length ?? 0;
  const data = new Float32Array(input.t * size);
  steps.forEach((values, t) => {
    data.set(values, t * size);
  });
  return { length: input.t, size, data };
}

/** kept [B', h, w, c] = plan [B' × t] · input [t, h, w, c]. */
export function applyPlan(plan: SamplingPlan, input: Tensor): Tensor {
  const output = zeros(plan.outputLength, input.h, input.w, input.c);
  const stepSize = input.h * input.w * input.c;
  for (let b = 0; b < plan.outputLength; b++) {
    for (let i = 0; i < stepSize; i++) {
      let sum = 0;
      for (let t = 0; t < input.t; t++) {
        sum += plan.weights[b * plan.inputLength + t]! * input.data[t * stepSize + i]!;
      }
      output.data[b * stepSize + i] = sum;
    }
  }
  return output;
}

/**
 * Means over a grid×grid raster (cells overlap where the grid does not divide the map); pooled,
 * scaled to unit length.
 */
function embedCells(input: Tensor, t: number, { kind, grid }: CellEmbedding): Float64Array {
  const values = new Float64Array(grid * grid * input.c);
  const cell = (n: number, i: number): readonly [number, number] => {
    const from = Math.floor((i * n) / grid);
    return [from, Math.ceil(((i + 1) * n) / grid) - from];
  };
  for (let i = 0; i < grid; i++) {
    for (let j = 0; j < grid; j++) {
      const [y, height] = cell(input.h, i);
      const [x, width] = cell(input.w, j);
      values.set(channelMeans(input, [t, y, x], [1, height, width]), (i * grid + j) * input.c);
    }
  }
  if (kind === 'cells') return values;
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return values.map((value) => value / Math.max(length, 1e-12));
}

type CellEmbedding = Exclude<SgsNode['embedding'], { readonly kind: 'learned' }>;

/** BN(W2·ReLU(W1·p + b1) + b2) of the spatial mean p, as the SGS paper. */
function embedLearned(input: Tensor, t: number, node: SgsNode, weights: Weights): Float64Array {
  const names = sgsNames(node)!;
  const value = (name: string): Float32Array => weights.get(name)!.data;
  const pooled = channelMeans(input, [t, 0, 0], [1, input.h, input.w]);
  const hidden = fullyConnected(pooled, value(names.hiddenWeight), value(names.hiddenBias));
  const rectified = hidden.map((x) => Math.max(0, x));
  const embedding = fullyConnected(rectified, value(names.outputWeight), value(names.outputBias));
  const norm = {
    gamma: value(names.batchNorm.gamma),
    beta: value(names.batchNorm.beta),
    mean: value(names.batchNorm.mean),
    variance: value(names.batchNorm.variance),
    epsilon: node.batchNormEpsilon,
  };
  return embedding.map((x, channel) => normalise(x, norm, channel));
}
