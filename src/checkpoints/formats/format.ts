import type { ModelManifest } from '../../inference/model.ts';
import type { NetworkOptions } from '../../inference/network/graph.ts';
import type { CheckpointTensor } from '../checkpoint.ts';
import type { Unit } from './unit.ts';

/** One published way to write an S3D or I3D down: names, arithmetic, and how its network wants to be fed. */
export interface CheckpointFormat {
  readonly name: string;
  /** Whose code wrote it, as the manifest tells. */
  readonly source: string;
  /** Names that together only this format has. */
  readonly anchors: readonly string[];
  /** The network that the tensors belong to, less what the shapes tell (width, classes). */
  network(tensors: ReadonlyMap<string, CheckpointTensor>): FormatNetwork;
  /**
   * What its arithmetic asks for, where the network is to run at a size at
   * which ours would compute something else.
   */
  problemOf?(options: NetworkOptions): string | undefined;
  /** Name prefixes of a convolution and of its batch norm; without one the convolution has a bias. */
  unit(unit: Unit): { readonly conv: string; readonly norm?: string };
  /** Name prefix of a gate's fully connected layer. */
  gate?(unit: Unit): string;
  /** Name prefix of the classifier; absent where there is none. */
  readonly head?: string;
  /** Leaf names; PyTorch's where absent. */
  readonly leaves?: Leaves;
  /** Why a tensor that no node asks for is left out; undefined where nobody knows it. */
  leftOut?(name: string): string | undefined;
  /** Another name of the same tensor, for layouts that write each one twice. */
  twin?(name: string): string | undefined;
  /** Whether the outputs are scores of classes; else an embedding. */
  readonly labelled: boolean;
  /** Frames a second in training. */
  readonly fps: number;
  readonly picture: NonNullable<ModelManifest['picture']>;
}

export type FormatNetwork = Pick<
  NetworkOptions,
  'variant' | 'frames' | 'height' | 'width' | 'input' | 'padding' | 'batchNormEpsilon' | 'pooling'
> &
  Partial<Pick<NetworkOptions, 'poolPadding' | 'stem' | 'gateConv2c' | 'gateBias' | 'classifier'>>;

/** How a layout calls the parts of a layer; a batch norm without `scale` has γ = 1. */
export interface Leaves {
  readonly weight: string;
  readonly bias: string;
  readonly scale?: string;
  readonly shift: string;
  readonly mean: string;
  readonly variance: string;
  /** TensorFlow: convolutions [kt, kh, kw, in, out], statistics [1, 1, 1, 1, c]. */
  readonly channelsLast: boolean;
}

export const PYTORCH_LEAVES: Leaves = {
  weight: '.weight',
  bias: '.bias',
  scale: '.weight',
  shift: '.bias',
  mean: '.running_mean',
  variance: '.running_var',
  channelsLast: false,
};
