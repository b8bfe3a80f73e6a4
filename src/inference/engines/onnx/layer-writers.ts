import type { ConcatNode, ConvNode, GateNode, InputNode, MaxPoolNode, Network } from '../../network/graph.ts';
import type { Weights } from '../../model.ts';
import type { GraphWriter } from './graph-writer.ts';
import type { EncodedInput } from './input-encoding.ts';
import type { Activation } from './layouts.ts';

/** What a layer needs beside its node and input. */
export interface LayerContext {
  readonly graph: GraphWriter;
  readonly weights: Weights;
  /**
   * [n, t]: the share of each step in the mean over time that this node takes; undefined where all
   * weigh alike.
   */
  readonly shares?: (node: string) => string | undefined;
}

/** Writes layers of a network over activations of its own kind. */
export interface LayerWriters<V> {
  /** uint8 [n·t, h, w, 3] → what the first convolution reads. */
  input(pixels: string, node: InputNode, network: Network): EncodedInput<V>;
  conv(node: ConvNode, input: V, inputScale?: readonly number[]): V;
  maxPool(node: MaxPoolNode, input: V): V;
  gate(node: GateNode, input: V): V;
  concat(node: ConcatNode, inputs: readonly V[]): V;
  /** In memory that any operator reads. */
  toPlain(value: V): Activation;
  /** [n, c, t, grid·grid]: the mean of each cell of the raster of mean-matrices.ts. */
  rasterMeans(value: V, grid: number): string;
  /** One row a time step, clip after clip, in an order of the writer's own. */
  toRows(value: V): Rows;
  /** Numbers in such a row. */
  rowSize(value: V): number;
  /** [n·t, size]: other rows of the same kind, as activation. */
  fromRows(rows: string, like: V): V;
}

export interface Rows {
  readonly tensor: string;
  /**
   * [n·t, …] or [n, t, …]: whatever comes without a Reshape, which copies where its result is what
   * the graph gives out.
   */
  readonly shape: readonly (string | number)[];
}
