import { continuedLower } from '../../network/continued-lower.ts';
import type { Network, NetworkNode, SgsNode } from '../../network/graph.ts';
import { timeMeansOf, type TimeMean } from '../../network/time-shares.ts';
import type { Weights } from '../../model.ts';
import { blockedLayers } from './blocked/blocked-layers.ts';
import { writeEmbedding } from './embedding.ts';
import { createGraphWriter, type GraphWriter } from './graph-writer.ts';
import { writeHead } from './head.ts';
import type { LayerContext, LayerWriters } from './layer-writers.ts';
import { plainLayers } from './layers.ts';

/** Tensor names at the edges of the graphs. */
export const TENSOR = {
  /** uint8 [t, h, w, 3]; [n, t, h, w, 3] where n clips are computed at once. */
  pixels: 'pixels',
  /**
   * float32 [t′, …], or those of all n clips one after the other, taken as [t′, size]: what enters
   * the SGS layer, one row a time step; the order within a row is the graphs' own.
   */
  features: 'features',
  /** float32 [t′, size] */
  embeddings: 'embeddings',
  /** float32 [b′, t′]: the sampling plan. */
  plan: 'plan',
  /** float32 [n, b′, size]: the steps of n clips that the plans keep, equally many of each. */
  kept: 'kept',
  /** float32 [n, classes] */
  logits: 'logits',
} as const;

/** float32 [n, t]: the share of each step in the means over time of one level (time-shares.ts). */
export function sharesTensor({ level, op }: Pick<TimeMean, 'level' | 'op'>): string {
  return op === 'head' ? 'shares-head' : `shares-${level}`;
}

/** Bytes of ONNX models. */
export type Graphs =
  | {
      /** pixels → features, embeddings */
      readonly lower: Uint8Array;
      /** The same for frames from the middle of a stream, nothing padded in front; where asked for. */
      readonly continued?: Uint8Array;
      /** features, plan → logits; with `sample` kept → logits */
      readonly upper: Uint8Array;
      /** features, plan → kept, of one clip: where several are computed at once. */
      readonly sample?: Uint8Array;
    }
  /** pixels → logits */
  | { readonly whole: Uint8Array };

/**
 * The network as ONNX models with height and width written in and the number of steps left open:
 * one from pixels to logits where the network has no SGS layer, else two, cut there, and with
 * `streams` the lower one once more for clips that go on where another began (only where
 * streamGeometry says that the network can). With `blockSize` they live in ONNX Runtime's blocked
 * memory and run only where its blocks have that size (blocked/block-size.ts). With `batched` each
 * computes any number of clips at once, all of one length: then a graph of its own applies each
 * clip's plan (ADR 0025).
 */
export function buildGraphs(
  network: Network,
  weights: Weights,
  { blockSize, ...options }: GraphOptions = {},
): Graphs {
  return blockSize !== undefined && fitsBlocks(network, blockSize)
    ? build(network, weights, options, (context) => blockedLayers(context, blockSize))
    : build(network, weights, options, plainLayers);
}

export interface GraphOptions {
  readonly streams?: boolean;
  readonly batched?: boolean;
  readonly blockSize?: number | undefined;
}

/**
 * Whether graphs are blocked. Rows of features are counted in real channels (stream/geometry.ts),
 * so blocks must hold nothing else at the cut.
 */
export function fitsBlocks({ nodes }: Network, blockSize: number): boolean {
  return nodes.every((node) => node.op !== 'sgs' || node.channels % blockSize === 0);
}

type LayersOf<V> = (context: LayerContext) => LayerWriters<V>;

function build<V>(
  network: Network,
  weights: Weights,
  { streams = false, batched = false }: Omit<GraphOptions, 'blockSize'>,
  layersOf: LayersOf<V>,
): Graphs {
  const part = (of: Network, suffix: string): Part<V> => {
    const context = { graph: createGraphWriter(`${of.name}${suffix}`), weights };
    return { context, layers: layersOf(context), network: of, batched, values: new Map() };
  };
  const { nodes } = network;
  const cut = nodes.findIndex((node) => node.op === 'sgs');
  const sgs = nodes[cut];
  if (sgs?.op !== 'sgs') return { whole: encode(writeNodes(part(network, ''), nodes)) };
  const writeLower = (of: Network, suffix: string): Part<V> => {
    const lower = writeNodes(part(of, suffix), of.nodes.slice(0, cut));
    writeLowerEnd(lower, sgs);
    return lower;
  };
  const lower = writeLower(network, '-lower');
  const bare = part(network, '-upper');
  const like = valueOf(lower, sgs.input);
  bare.values.set(sgs.name, writeUpperStart(bare, like));
  const shares = writeShares(bare, network);
  const context = { ...bare.context, ...(shares && { shares }) };
  const upper: Part<V> = { ...bare, context, layers: layersOf(context) };
  writeNodes(upper, nodes.slice(cut + 1));
  const stages = {
    ...{ lower: encode(lower), upper: encode(upper) },
    ...(batched && { sample: sampleGraph(upper.layers.rowSize(like)) }),
  };
  return streams
    ? { ...stages, continued: encode(writeLower(continuedLower(network), '-continued')) }
    : stages;
}

function encode({ context }: Part<unknown>): Uint8Array {
  return context.graph.encode();
}

/** A graph under construction and what its nodes have computed so far. */
interface Part<V> {
  readonly context: LayerContext;
  readonly layers: LayerWriters<V>;
  readonly network: Network;
  readonly batched: boolean;
  readonly values: Map<string, V>;
}

function writeLowerEnd<V>(lower: Part<V>, sgs: SgsNode): void {
  const { context, layers } = lower;
  const value = valueOf(lower, sgs.input);
  const { tensor, shape } = layers.toRows(value);
  const embeddings = writeEmbedding(context, sgs, (grid) => layers.rasterMeans(value, grid));
  context.graph.output(tensor, { name: TENSOR.features, type: 'float32', shape });
  context.graph.output(embeddings, {
    name: TENSOR.embeddings,
    type: 'float32',
    shape: ['steps', 'size'],
  });
}

function writeUpperStart<V>({ context: { graph }, layers, batched }: Part<V>, like: V): V {
  const size = layers.rowSize(like);
  if (batched) {
    const kept = graph.input({ name: TENSOR.kept, type: 'float32', shape: ['clips', 'kept', size] });
    graph.clipsOf(kept);
    return layers.fromRows(kept, like);
  }
  return layers.fromRows(writeSampling(graph, size), like);
}

/** Inputs for the shares of steps in means over time, where they are weighted. */
function writeShares<V>({ context: { graph } }: Part<V>, network: Network): LayerContext['shares'] {
  const means = timeMeansOf(network);
  if (means.length === 0) return undefined;
  const names = new Map(means.map((mean) => [mean.node, sharesTensor(mean)]));
  for (const name of new Set(names.values()))
    graph.input({ name, type: 'float32', shape: ['clips', `${name}-steps`] });
  return (node) => names.get(node);
}

/** Applies a plan; the product is the one that single clips have within their upper stage. */
function sampleGraph(size: number): Uint8Array {
  const graph = createGraphWriter('sample');
  graph.output(writeSampling(graph, size), { name: TENSOR.kept, type: 'float32', shape: ['kept', size] });
  return graph.encode();
}

function writeSampling(graph: GraphWriter, size: number): string {
  const features = graph.input({ name: TENSOR.features, type: 'float32', shape: ['steps', size] });
  const plan = graph.input({ name: TENSOR.plan, type: 'float32', shape: ['kept', 'steps'] });
  return graph.node('MatMul', [plan, features]);
}

/** Writes the nodes in order. */
function writeNodes<V>(part: Part<V>, nodes: readonly NetworkNode[]): Part<V> {
  const { context, layers, network, batched, values } = part;
  const { graph } = context;
  const pixelScale = new Map<string, readonly number[]>();
  const input = (name: string): V => valueOf(part, name);
  for (const node of nodes) {
    graph.section(node.stage);
    switch (node.op) {
      case 'input': {
        const { height, width } = network.options;
        const pixels = graph.input({
          name: TENSOR.pixels,
          type: 'uint8',
          shape: [...(batched ? ['clips'] : []), 'frames', height, width, 3],
        });
        if (batched) graph.clipsOf(pixels);
        const frames = batched ? graph.reshape(pixels, [-1, height, width, 3]) : pixels;
        const { value, scale } = layers.input(frames, node, network);
        values.set(node.name, value);
        pixelScale.set(node.name, scale);
        break;
      }
      case 'conv':
        values.set(node.name, layers.conv(node, input(node.input), pixelScale.get(node.input)));
        break;
      case 'max_pool':
        values.set(node.name, layers.maxPool(node, input(node.input)));
        break;
      case 'gate':
        values.set(node.name, layers.gate(node, input(node.input)));
        break;
      case 'concat':
        values.set(node.name, layers.concat(node, node.inputs.map(input)));
        break;
      case 'head':
        graph.output(writeHead(context, node, layers.toPlain(input(node.input))), {
          name: TENSOR.logits,
          type: 'float32',
          shape: [batched ? 'clips' : 1, node.classes],
        });
        break;
      case 'sgs':
        throw new RangeError('a network is cut at its only SGS layer');
    }
  }
  return part;
}

function valueOf<V>({ values }: Part<V>, name: string): V {
  const value = values.get(name);
  if (value === undefined) throw new RangeError(`node "${name}" is used before it is computed`);
  return value;
}
