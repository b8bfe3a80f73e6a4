import { countOf } from './checkpoint.ts';
import { gather } from './gather.ts';
import type { ConvNode, NetworkNode } from '../inference/network/graph.ts';
import { convNames, gateNames, headNames } from '../inference/network/weight-shapes.ts';
import type { CheckpointFormat, Leaves } from './formats/format.ts';
import { PYTORCH_LEAVES } from './formats/format.ts';
import { unitOf } from './formats/unit.ts';

/** Where one tensor of ours comes from. */
export interface TensorSource {
  readonly ours: string;
  /** Our shape. */
  readonly shape: readonly number[];
  /**
   * Name in the checkpoint, without prefix; absent where it holds no such
   * tensor and `constant` stands for it.
   */
  readonly theirs?: string;
  readonly constant?: number;
  /** Shape in the checkpoint. */
  readonly expected: readonly number[];
  /** Their order of values into ours. */
  readonly arrange?: (data: Float32Array) => Float32Array;
}

/**
 * The tensors that a node needs; none where it has no weights, or weights that
 * no public checkpoint has (learned SGS).
 */
export function sourcesOf(node: NetworkNode, format: CheckpointFormat): readonly TensorSource[] {
  const leaves = format.leaves ?? PYTORCH_LEAVES;
  switch (node.op) {
    case 'conv':
      return [convolution(node, format, leaves), ...batchNorm(node, format, leaves)];
    case 'gate': {
      const names = gateNames(node);
      const prefix = format.gate?.(unitOf(node.name.replace(/\.gate$/, ''))) ?? node.name;
      const { channels } = node;
      const weight = matrix(names.weight, `${prefix}${leaves.weight}`, [channels, channels], leaves);
      return names.bias === undefined
        ? [weight]
        : [weight, same(names.bias, `${prefix}${leaves.bias}`, [channels])];
    }
    case 'head': {
      const names = headNames(node);
      if (!names || format.head === undefined) return [];
      const { classes, inChannels } = node;
      const weight = matrix(names.weight, `${format.head}${leaves.weight}`, [classes, inChannels], leaves);
      return [weight, same(names.bias, `${format.head}${leaves.bias}`, [classes])];
    }
    case 'input':
    case 'max_pool':
    case 'concat':
    case 'sgs':
      return [];
  }
}

function convolution(node: ConvNode, format: CheckpointFormat, leaves: Leaves): TensorSource {
  const { inChannels, outChannels, kernel } = node;
  const [kt, kh, kw] = kernel;
  const shape = [outChannels, inChannels, kt, kh, kw];
  const theirs = `${format.unit(unitOf(node.name)).conv}${leaves.weight}`;
  const source = { ours: convNames(node).weight, shape, theirs };
  if (leaves.channelsLast) {
    const expected = [kt, kh, kw, inChannels, outChannels];
    return { ...source, expected, arrange: (data) => permuted(data, expected, [4, 3, 0, 1, 2]) };
  }
  // 4×8×8 on pixels is written as 2×4×4 on blocks of 2×2×2, whose channel is ((dt·2 + dh)·2 + dw)·c + colour.
  const isBlocks = kt === 4 && kh === 8 && kw === 8;
  if (!isBlocks) return { ...source, expected: shape };
  const blocks = [outChannels, 2, 2, 2, inChannels, kt / 2, kh / 2, kw / 2];
  return {
    ...source,
    expected: [outChannels, 8 * inChannels, kt / 2, kh / 2, kw / 2],
    arrange: (data) => permuted(data, blocks, [0, 4, 5, 1, 6, 2, 7, 3]),
  };
}

function batchNorm(node: ConvNode, format: CheckpointFormat, leaves: Leaves): readonly TensorSource[] {
  const { gamma, beta, mean, variance } = convNames(node).batchNorm;
  const { conv, norm } = format.unit(unitOf(node.name));
  const shape = [node.outChannels];
  const filled = (ours: string, constant: number): TensorSource => ({
    ours,
    shape,
    expected: shape,
    constant,
  });
  if (norm === undefined) {
    // The norm that leaves a value as it is, but for its shift.
    return [
      filled(gamma, 1),
      same(beta, `${conv}${leaves.bias}`, shape),
      filled(mean, 0),
      filled(variance, 1 - node.batchNormEpsilon),
    ];
  }
  const scale = leaves.scale === undefined ? filled(gamma, 1) : same(gamma, `${norm}${leaves.scale}`, shape);
  return [
    scale,
    same(beta, `${norm}${leaves.shift}`, shape),
    same(mean, `${norm}${leaves.mean}`, shape),
    same(variance, `${norm}${leaves.variance}`, shape),
  ];
}

/** Of a fully connected layer; TensorFlow's are 1×1×1 convolutions [1, 1, 1, in, out]. */
function matrix(
  ours: string,
  theirs: string,
  shape: readonly [outputs: number, inputs: number],
  { channelsLast }: Leaves,
): TensorSource {
  if (!channelsLast) return same(ours, theirs, shape);
  const [outputs, inputs] = shape;
  return {
    ours,
    theirs,
    shape,
    expected: [1, 1, 1, inputs, outputs],
    arrange: (data) => permuted(data, [inputs, outputs], [1, 0]),
  };
}

function same(ours: string, theirs: string, shape: readonly number[]): TensorSource {
  return { ours, theirs, shape, expected: shape };
}

/** numpy.transpose of a row-major array: axis i of the result is axis `order[i]` of the data. */
function permuted(data: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => countOf(shape.slice(axis + 1)));
  return gather(data, {
    shape: order.map((axis) => shape[axis] ?? 1),
    strides: order.map((axis) => strides[axis] ?? 0),
  });
}
