import type { ConvNode } from '../../network/graph.ts';
import { convNames } from '../../network/weight-shapes.ts';
import { foldBatchNorm } from '../../weights/fold-batch-norm.ts';
import { batchNormOf, tensorOf } from '../../weights/tensor-of.ts';
import type { Activation, Layer, LayerContext } from './layer.ts';
import { paddingOf, UNPADDED } from './padding.ts';
import { everyStep, repeatEdges } from './steps.ts';
import type { Tensor1D, Tensor4D, Tensor5D } from './tensorflow.ts';

/**
 * Convolution with its batch norm folded in, then ReLU. Space alone is a 2D convolution over steps
 * as a batch; time alone is one over [1, t, h·w, c], which moves no memory; only a dense k×k×k is a
 * 3D convolution.
 */
export function createConv(context: LayerContext, node: ConvNode, inputScale?: readonly number[]): Layer {
  const { tf, weights } = context;
  const { inChannels, outChannels } = node;
  const [kt, kh, kw] = node.kernel;
  const [st, sh, sw] = node.stride;
  const names = convNames(node);
  const folded = foldBatchNorm(
    tensorOf(weights, names.weight),
    batchNormOf(weights, names.batchNorm, node.batchNormEpsilon),
    inputScale ? { inputScale } : {},
  );
  const filterOf = (...kernel: readonly number[]) =>
    context.constant(channelsLast(folded.weight, node), [...kernel, inChannels, outChannels]);
  const bias = context.constant(folded.bias, [outChannels]) as Tensor1D;
  const conv2d = (
    x: Tensor4D,
    filter: Tensor4D,
    strides: [number, number],
    pad: [[number, number], [number, number]],
  ): Tensor4D =>
    tf.fused.conv2d({ x, filter, strides, pad: [UNPADDED, ...pad, UNPADDED], bias, activation: 'relu' });

  if (kt === 1) {
    const filter = filterOf(kh, kw) as Tensor4D;
    return (input) => {
      const { h, w } = paddingOf(node, input);
      return conv2d(everyStep(tf, input, st), filter, [sh, sw], [h, w]);
    };
  }
  if (kh === 1 && kw === 1 && sh === 1 && sw === 1) {
    const filter = filterOf(kt, 1) as Tensor4D;
    return (input) => {
      const { value, pad } = padTime(tf, node, input);
      const [t, height, width] = value.shape;
      const rows: Tensor4D = tf.reshape(value, [1, t, height * width, inChannels]);
      const out = conv2d(rows, filter, [st, 1], [pad, UNPADDED]);
      return tf.reshape(out, [-1, height, width, outChannels]);
    };
  }
  const filter = filterOf(kt, kh, kw) as Tensor5D;
  return (input) => {
    const { h, w } = paddingOf(node, input);
    const { value, pad } = padTime(tf, node, input);
    const volume: Tensor5D = tf.expandDims(tf.pad(value, [pad, h, w, UNPADDED]), 0);
    const out = tf.conv3d(volume, filter, [st, sh, sw], 'valid');
    return tf.squeeze(tf.relu(tf.add(out, bias)), [0]);
  };
}

/** Edges that are repeated are so here; zeros are left to whoever pads. */
function padTime(
  tf: LayerContext['tf'],
  node: ConvNode,
  input: Activation,
): { readonly value: Activation; readonly pad: [number, number] } {
  const { t } = paddingOf(node, input);
  return node.repeatsEdges ? { value: repeatEdges(tf, input, t), pad: UNPADDED } : { value: input, pad: t };
}

/** [out, in, kt, kh, kw] → [kt, kh, kw, in, out] */
function channelsLast(weight: Float32Array, { inChannels, outChannels }: ConvNode): Float32Array {
  const taps = weight.length / (inChannels * outChannels);
  return Float32Array.from(weight, (_, to) => {
    const o = to % outChannels;
    const i = Math.floor(to / outChannels) % inChannels;
    const tap = Math.floor(to / (outChannels * inChannels));
    return weight[(o * inChannels + i) * taps + tap] ?? 0;
  });
}
