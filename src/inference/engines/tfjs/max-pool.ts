import type { MaxPoolNode } from '../../network/graph.ts';
import type { Activation, Layer, LayerContext } from './layer.ts';
import { paddingOf, UNPADDED } from './padding.ts';
import { everyStep } from './steps.ts';

/**
 * Maximum over space, then over time: a maximum of maxima. What is padded is −∞, so that it never
 * wins; padding that is TensorFlow's own SAME is left to the library, which copies nothing for it.
 */
export function createMaxPool({ tf }: Pick<LayerContext, 'tf'>, node: MaxPoolNode): Layer {
  const [kt, kh, kw] = node.kernel;
  const [st, sh, sw] = node.stride;
  const pool = (
    x: Activation,
    kernel: [number, number],
    stride: [number, number],
    pads: readonly [[number, number], [number, number]],
  ): Activation => {
    const [, height, width] = x.shape;
    if (isSame(height, kernel[0], stride[0], pads[0]) && isSame(width, kernel[1], stride[1], pads[1])) {
      return tf.maxPool(x, kernel, stride, 'same');
    }
    const padded = tf.pad(x, [UNPADDED, ...pads, UNPADDED], -Infinity);
    return tf.maxPool(padded, kernel, stride, 'valid');
  };
  return (input) => {
    const { t, h, w } = paddingOf(node, input);
    const steps = kt === 1 ? everyStep(tf, input, st) : input;
    const inSpace = pool(steps, [kh, kw], [sh, sw], [h, w]);
    if (kt === 1) return inSpace;
    const [length, height, width, channels] = inSpace.shape;
    const rows: Activation = tf.reshape(inSpace, [1, length, height * width, channels]);
    return tf.reshape(pool(rows, [kt, 1], [st, 1], [t, UNPADDED]), [-1, height, width, channels]);
  };
}

/** Whether that padding is what TensorFlow computes for SAME. */
function isSame(length: number, kernel: number, stride: number, [before, after]: [number, number]): boolean {
  const total = Math.max((Math.ceil(length / stride) - 1) * stride + kernel - length, 0);
  return before === Math.floor(total / 2) && after === total - before;
}
