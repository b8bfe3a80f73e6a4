import { rasterMatrix } from '../../mean-matrices.ts';
import type { SgsNode } from '../../network/graph.ts';
import { sgsNames } from '../../network/weight-shapes.ts';
import { foldBatchNorm } from '../../weights/fold-batch-norm.ts';
import { batchNormOf, tensorOf } from '../../weights/tensor-of.ts';
import type { Activation, LayerContext } from './layer.ts';
import type { Tensor2D, Tensor3D } from './tensorflow.ts';

/** Feature maps → embeddings [t, size]: the space in which SGS compares time steps. */
export function createEmbedding(context: LayerContext, node: SgsNode): (input: Activation) => Tensor2D {
  return node.embedding.kind === 'learned'
    ? createLearned(context, node)
    : createCells(context, node, node.embedding);
}

/** FC · ReLU · FC with the batch norm folded in, on the spatial mean. */
function createLearned(
  { tf, weights, constant }: LayerContext,
  node: SgsNode,
): (input: Activation) => Tensor2D {
  const names = sgsNames(node);
  if (!names) throw new RangeError('only a learned embedding has weights');
  const hiddenWeight = constant(tensorOf(weights, names.hiddenWeight).data, [names.hidden, node.channels]);
  const hiddenBias = constant(tensorOf(weights, names.hiddenBias).data, [names.hidden]);
  const folded = foldBatchNorm(
    tensorOf(weights, names.outputWeight),
    batchNormOf(weights, names.batchNorm, node.batchNormEpsilon),
    { bias: tensorOf(weights, names.outputBias).data },
  );
  const outputWeight = constant(folded.weight, [names.size, names.hidden]);
  const outputBias = constant(folded.bias, [names.size]);
  return (input) => {
    const mean = tf.mean<Tensor2D>(input, [1, 2]);
    const hidden = tf.relu(tf.add(tf.matMul(mean, hiddenWeight as Tensor2D, false, true), hiddenBias));
    return tf.add(tf.matMul(hidden as Tensor2D, outputWeight as Tensor2D, false, true), outputBias);
  };
}

/** Means over a grid×grid raster, cell after cell; pooled, scaled to unit length a step. */
function createCells(
  { tf }: LayerContext,
  { channels }: SgsNode,
  { kind, grid }: Exclude<SgsNode['embedding'], { readonly kind: 'learned' }>,
): (input: Activation) => Tensor2D {
  const cells = grid * grid;
  return (input) => {
    const [steps, height, width] = input.shape;
    const raster = tf.tensor2d(rasterMatrix(grid, height, width), [height * width, cells]);
    // One product for all steps: pixels come first, so that the raster stands on the left of each.
    const pixelsFirst: Tensor3D = tf.transpose(
      tf.reshape(input, [steps, height * width, channels]),
      [1, 0, 2],
    );
    const flat: Tensor2D = tf.reshape(pixelsFirst, [height * width, steps * channels]);
    const means = tf.reshape(tf.matMul(raster, flat, true), [cells, steps, channels]);
    const byStep = tf.reshape(tf.transpose(means, [1, 0, 2]), [steps, cells * channels]);
    if (kind === 'cells') return byStep as Tensor2D;
    const norm = tf.sqrt(tf.sum(tf.square(byStep), 1, true));
    return tf.div(byStep, tf.maximum(norm, 1e-12));
  };
}
