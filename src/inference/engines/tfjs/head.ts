import { headPixelShares, headStepShares } from '../../mean-matrices.ts';
import type { HeadNode } from '../../network/graph.ts';
import { headNames } from '../../network/weight-shapes.ts';
import { tensorOf } from '../../weights/tensor-of.ts';
import type { Activation, LayerContext } from './layer.ts';
import type { Tensor2D } from './tensorflow.ts';

/**
 * Sliding average, classifier, mean over positions: all linear, so the mean comes first, as the
 * share that each step and pixel has in it. Activation → logits [1, classes]; `timeShares` in place
 * of those of the window.
 */
export function createHead(
  { tf, weights, constant }: LayerContext,
  node: HeadNode,
): (input: Activation, timeShares?: ArrayLike<number>) => Tensor2D {
  const { inChannels, classes } = node;
  const names = headNames(node);
  const classifier = names && {
    weight: constant(tensorOf(weights, names.weight).data, [classes, inChannels]) as Tensor2D,
    bias: constant(tensorOf(weights, names.bias).data, [classes]),
  };
  return (input, timeShares) => {
    const [steps, height, width] = input.shape;
    const pixels = headPixelShares(node, height, width);
    const inTime = timeShares ?? headStepShares(node, [steps, height, width]);
    const shares = Array.from(inTime).flatMap((share) => Array.from(pixels, (pixel) => share * pixel));
    const positions: Tensor2D = tf.reshape(input, [shares.length, inChannels]);
    const features: Tensor2D = tf.matMul(
      tf.tensor2d(Float32Array.from(shares), [1, shares.length]),
      positions,
    );
    if (!classifier) return features;
    const logits: Tensor2D = tf.matMul(features, classifier.weight, false, true);
    return tf.add(logits, classifier.bias);
  };
}
