import type { GateNode } from '../../network/graph.ts';
import { gateNames } from '../../network/weight-shapes.ts';
import { tensorOf } from '../../weights/tensor-of.ts';
import type { Activation, LayerContext } from './layer.ts';
import type { Tensor2D } from './tensorflow.ts';

/**
 * Self-gating: the mean over t, h, w, in time perhaps weighted by shares [t, 1, 1, 1], through a
 * fully connected layer and a sigmoid scales each channel.
 */
export function createGate(
  { tf, weights, constant }: LayerContext,
  node: GateNode,
): (input: Activation, shares?: Activation) => Activation {
  const { channels } = node;
  const names = gateNames(node);
  const weight = constant(tensorOf(weights, names.weight).data, [channels, channels]) as Tensor2D;
  const bias =
    names.bias === undefined ? undefined : constant(tensorOf(weights, names.bias).data, [channels]);
  return (input, shares) => {
    const mean: Tensor2D = tf.reshape(
      shares ? tf.sum(tf.mul(tf.mean(input, [1, 2], true), shares), 0) : tf.mean(input, [0, 1, 2]),
      [1, channels],
    );
    const product = tf.matMul(mean, weight, false, true);
    const logits = bias ? tf.add(product, bias) : product;
    return tf.mul(input, tf.reshape(tf.sigmoid(logits), [1, 1, 1, channels]));
  };
}
