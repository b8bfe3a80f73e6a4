import type { Activation } from './layer.ts';
import type { TensorLibrary } from './tensorflow.ts';

/**
 * Every `stride`-th step, from the first: what a window of one step and that stride sees under any
 * padding.
 */
export function everyStep(tf: TensorLibrary, input: Activation, stride: number): Activation {
  if (stride === 1) return input;
  return tf.stridedSlice(input, [0, 0, 0, 0], [...input.shape], [stride, 1, 1, 1]) as Activation;
}

/** All but the first `count` steps. */
export function skipSteps(tf: TensorLibrary, input: Activation, count: number): Activation {
  if (count === 0) return input;
  const [steps, height, width, channels] = input.shape;
  return tf.slice(input, [count, 0, 0, 0], [steps - count, height, width, channels]);
}

/** The first and last step repeated, `before` and `after` times. */
export function repeatEdges(
  tf: TensorLibrary,
  input: Activation,
  [before, after]: readonly [number, number],
): Activation {
  const [steps, height, width, channels] = input.shape;
  const at = (step: number): Activation => tf.slice(input, [step, 0, 0, 0], [1, height, width, channels]);
  const [first, last] = [at(0), at(steps - 1)];
  const front = Array.from({ length: before }, () => first);
  const back = Array.from({ length: after }, () => last);
  return tf.concat([...front, input, ...back], 0);
}
