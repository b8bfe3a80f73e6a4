import type { InputNode } from '../../network/graph.ts';
import type { Activation, LayerContext } from './layer.ts';
import { skipSteps } from './steps.ts';
import type { TensorLibrary } from './tensorflow.ts';

/** Grey level of full-range RGB, in units of 0.25. */
const LUMA = [0.299, 0.587, 0.114].map((part) => part / (255 * 0.25));

export interface EncodedInput {
  /** uint8 [t, h, w, 3] → what the first convolution sees, zero where padding stands, up to `scale`. */
  readonly encode: (pixels: Activation) => Activation;
  /** Scale of each channel, left for the first convolution's weights to carry. */
  readonly scale: readonly number[];
}

export function createInput({ tf, constant }: LayerContext, { encoding, skip = 0 }: InputNode): EncodedInput {
  if (encoding.kind === 'rgb') {
    const mean = constant(
      Float32Array.from(encoding.mean, (m) => 255 * m),
      [3],
    );
    return {
      encode: (pixels) => skipSteps(tf, tf.sub(pixels, mean), skip),
      scale: encoding.std.map((std) => 1 / (255 * std)),
    };
  }
  const luma = constant(Float32Array.from(LUMA), [3]);
  return { encode: (pixels) => skipSteps(tf, encodeMotion(tf, pixels, luma), skip), scale: [1, 1, 1] };
}

/** Grey level, its change since the step before, and how large that change is; each over 0.25. */
function encodeMotion(
  tf: TensorLibrary,
  pixels: Activation,
  luma: ReturnType<LayerContext['constant']>,
): Activation {
  const grey: Activation = tf.sub(tf.sum<Activation>(tf.mul(pixels, luma), 3, true), 0.5 / 0.25);
  const [steps, height, width] = grey.shape;
  const first = tf.slice(grey, [0, 0, 0, 0], [1, height, width, 1]);
  const before = steps === 1 ? first : tf.concat([first, tf.slice(grey, 0, steps - 1)], 0);
  const change: Activation = tf.sub(grey, before);
  return tf.concat([grey, change, tf.abs(change)], 3);
}
