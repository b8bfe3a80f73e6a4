import type { GateNode } from '../../network/graph.ts';
import { gateNames } from '../../network/weight-shapes.ts';
import { tensorOf } from '../../weights/tensor-of.ts';
import type { Layer, LayerContext } from './layer.ts';
import type { Tensor2D } from './tensorflow.ts';

/** Self-gating: the mean over t, h, w through a fully connected layer and a sigmoid scales each channel. */
export function createGate({ tf, weights, constant }: LayerContext, node: GateNode): Layer {
  const { channels } = node;
  const names = gateNames(node);
  const weight = constant(tensorOf(weights, names.weight).data, [channels, channels]) as Tensor2D;
  const bias =
    names.bias === undefined ? undefined : constant(tensorOf(weights, names.bias).data, [channels]);
  return (input) => {
    const mean: Tensor2D = tf.reshape(tf.mean(input, [0, 1, 2]), [1, channels]);
    const product = tf.matMul(mean, weight, false, true);
    const logits = bias ? tf.add(product, bias) : product;
    return tf.mul(input, tf.reshape(tf.sigmoid(logits), [1, 1, 1, channels]));
  };
}
