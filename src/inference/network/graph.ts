import type { StageName, Triple } from './stages.ts';

/**
 * A network as data: nodes in topological order, each naming its inputs. Engines, cost model,
 * weight loading and training interpret this list; none restates the architecture. Activations are
 * [t, h, w, c]; weight tensors are named `<node>.<part>` and shaped as PyTorch does (see
 * weight-shapes.ts).
 */
export interface Network {
  /** Canonical variant name, e.g. `s3d-g`. */
  readonly name: string;
  readonly options: NetworkOptions;
  readonly nodes: readonly NetworkNode[];
  /** Name of the node whose output the head turned into logits: always the last. */
  readonly output: string;
}

export interface NetworkOptions {
  readonly variant: string;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  /** Width multiplier α: channels are max(1, round(α·c)). */
  readonly widthMultiplier: number;
  readonly input: InputEncoding;
  /** `symmetric` as PyTorch ports, `same` as TensorFlow (dynamic SAME); see padding.ts. */
  readonly padding: 'symmetric' | 'same';
  /**
   * Of max pools, where it differs. `same_even`: TensorFlow's SAME of an even length whatever the
   * length is, as ports compute it that pad by a constant.
   */
  readonly poolPadding?: 'symmetric' | 'same' | 'same_even';
  readonly batchNormEpsilon: number;
  readonly gateBias: boolean;
  /** S3D-G: a gate after Conv_2c too, as TF-slim; CoCLR has none there. */
  readonly gateConv2c: boolean;
  /**
   * Separable variants: the stem split in space and time (PyTorch ports), one dense 3×7×7, or of
   * another length in time (TF-slim: 3, or 1, 5, 7), or one dense 4×8×8: what a 2×4×4 convolution
   * over 2×2×2 blocks of pixels (space to depth, MIL-NCE) is on the pixels themselves.
   */
  readonly stem: 'separable' | 'flat' | 'dense' | 'dense_5' | 'dense_7' | 'space_to_depth';
  readonly pooling: HeadPooling;
  /**
   * Without a classifier the pooled features themselves are the output: an embedding of `classes` =
   * channels values.
   */
  readonly classifier: boolean;
  readonly sgs?: SgsOptions;
  /**
   * What temporal convolutions above the cut see before the first and behind the last kept step:
   * `zero` (default), or `edge`: that step again, so that few kept steps see themselves and not
   * padding. A max pool's result is the same under both.
   */
  readonly temporalEdge?: 'zero' | 'edge';
  /**
   * Means over time above the cut, of gates and head: `plain` (default), or `multiplicity`: each
   * kept step weighs as many input steps as it stands for (time-shares.ts).
   */
  readonly timeMeans?: 'plain' | 'multiplicity';
}

/**
 * What the head averages before it classifies, then averaging over positions: `window` (2, 7, 7), as
 * I3D (Carreira and Zisserman, CVPR 2017, arXiv:1705.07750, fig. 3) and S3D; `space` (2, h, w); `whole`
 * all of the map. They are the same on a 7×7 map of two steps.
 */
export type HeadPooling = 'window' | 'space' | 'whole';

/**
 * Padding of one layer: see padding.ts. Three numbers: zeros in front of t, h, w, and behind as far
 * as ⌈n/s⌉ outputs need.
 */
export type Padding = 'symmetric' | 'same' | Triple | FixedTimePadding;

/**
 * Zeros in front of and behind t whatever its length: for a part of a clip (continued-lower.ts).
 * Space is padded as elsewhere.
 */
export interface FixedTimePadding {
  readonly time: FixedPadding;
  readonly space: Exclude<Padding, FixedTimePadding>;
}

export interface FixedPadding {
  readonly before: number;
  readonly after: number;
}

/**
 * What the first convolution sees, computed inside the network from uint8 rgb24: `rgb`: (x/255 −
 * mean)/std a channel. `motion`: grey g = (0.299 R + 0.587 G + 0.114 B)/255 as (g − 0.5)/0.25, then
 * the frame difference d_t = (g_t − g_{t−1})/0.25 (d_0 = 0), then |d_t|.
 */
export type InputEncoding =
  { readonly kind: 'rgb'; readonly mean: Triple; readonly std: Triple } | { readonly kind: 'motion' };

/** Where Similarity Guided Sampling sits, and the space in which it compares time steps. */
export interface SgsOptions {
  readonly after: StageName;
  /**
   * `learned`: FC(C → ⌊C/2⌋) · ReLU · FC(→ size) · batch norm on the spatial mean: SGS of
   * Fayyaz et al., CVPR 2021 (arXiv:2011.08652).
   * `pooled`: the spatial mean over a grid×grid raster (cells as PyTorch's adaptive average pool),
   * scaled to unit length over all its values; no weights, for networks never trained with SGS.
   * `cells`: the same means as they are, compared cell by cell by the sampler
   * (sampler/distance.ts); `top`: how many of the cells that moved most count.
   */
  readonly embedding: SgsEmbedding;
  /**
   * The first and last steps of a clip also see the zero padding before and after it: on a static
   * clip that alone is a change forty times the sensor noise. `nearest_complete`: such a step takes
   * the embedding of the nearest step that sees only frames (apply-boundary.ts). `as_is`: the
   * published arithmetic.
   */
  readonly boundary: 'as_is' | 'nearest_complete';
}

export type SgsEmbedding =
  | { readonly kind: 'learned'; readonly size: number }
  | { readonly kind: 'pooled'; readonly grid: number }
  | { readonly kind: 'cells'; readonly grid: number; readonly top: number };

export type NetworkNode = InputNode | ConvNode | MaxPoolNode | GateNode | ConcatNode | SgsNode | HeadNode;

interface NodeBase {
  readonly name: string;
  /** Row of the layer table it belongs to: a stage name, `input`, `SGS` or `Head`. */
  readonly stage: string;
}

export interface InputNode extends NodeBase {
  readonly op: 'input';
  readonly encoding: InputEncoding;
  /** Encoded frames that nobody is to see, in front: motion of the first one is none (continued-lower.ts). */
  readonly skip?: number;
}

/** Convolution, then batch norm (scale γ, shift β), then ReLU. */
export interface ConvNode extends NodeBase {
  readonly op: 'conv';
  readonly input: string;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: Triple;
  readonly stride: Triple;
  readonly padding: Padding;
  /** In time the first and last step are repeated where padding stands; else it is zero. */
  readonly repeatsEdges?: true;
  readonly batchNormEpsilon: number;
}

/** Max over the window; padding never wins (its value is −∞). */
export interface MaxPoolNode extends NodeBase {
  readonly op: 'max_pool';
  readonly input: string;
  readonly kernel: Triple;
  readonly stride: Triple;
  readonly padding: Padding;
}

/** Self-gating: y = σ(W·mean_{t,h,w}(x) + b) ⊙ x, W n×n, broadcast over t, h, w. */
export interface GateNode extends NodeBase {
  readonly op: 'gate';
  readonly input: string;
  readonly channels: number;
  readonly bias: boolean;
}

export interface ConcatNode extends NodeBase {
  readonly op: 'concat';
  readonly inputs: readonly string[];
  /**
   * Steps of each input to leave out in front, where inputs begin at different times
   * (continued-lower.ts).
   */
  readonly skips?: readonly number[];
}

/** The cut. Input [t, h, w, c] → embeddings [t, size] → plan (B'×t) → output [B', h, w, c] = plan · input. */
export interface SgsNode extends NodeBase {
  readonly op: 'sgs';
  readonly input: string;
  readonly channels: number;
  readonly embedding: SgsEmbedding;
  readonly boundary: SgsOptions['boundary'];
  readonly batchNormEpsilon: number;
}

/**
 * Average pool over the window of head-window.ts, stride 1, no padding, clamped to the map where
 * that is smaller; dropout (training only); 1×1×1 convolution with bias, if there is a classifier;
 * mean over t, h, w → logits [classes].
 */
export interface HeadNode extends NodeBase {
  readonly op: 'head';
  readonly input: string;
  readonly inChannels: number;
  readonly classes: number;
  readonly pooling: HeadPooling;
  readonly classifier: boolean;
}
