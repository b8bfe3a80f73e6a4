import { continuedLower } from '../../network/continued-lower.ts';
import type { Network, NetworkNode, SgsNode } from '../../network/graph.ts';
import type { Weights } from '../../model.ts';
import { writeEmbedding } from './embedding.ts';
import { createGraphWriter, type GraphWriter } from './graph-writer.ts';
import { writeHead } from './head.ts';
import { writeInput } from './input-encoding.ts';
import { activation, inForm, type Activation, type Size } from './layouts.ts';
import { writeConcat, writeConv, writeGate, writeMaxPool, type LayerContext } from './layers.ts';

/** Tensor names at the edges of the graphs. */
export const TENSOR = {
  /** uint8 [t, h, w, 3] */
  pixels: 'pixels',
  /** float32 [t′, size]: what enters the SGS layer, one row a time step; the order within a row is the graphs' own. */
  features: 'features',
  /** float32 [t′, size] */
  embeddings: 'embeddings',
  /** float32 [b′, t′]: the sampling plan. */
  plan: 'plan',
  /** float32 [1, classes] */
  logits: 'logits',
} as const;

/** Bytes of ONNX models. */
export type Graphs =
  | {
      /** pixels → features, embeddings */
      readonly lower: Uint8Array;
      /** The same for frames from the middle of a stream, nothing padded in front; where asked for. */
      readonly continued?: Uint8Array;
      /** features, plan → logits */
      readonly upper: Uint8Array;
    }
  /** pixels → logits */
  | { readonly whole: Uint8Array };

/**
 * The network as ONNX models with height and width written in and the number of steps left open: one from pixels to
 * logits where the network has no SGS layer, else two, cut there, and with `streams` the lower one once more for clips that
 * go on where another began (only where streamGeometry says that the network can).
 */
export function buildGraphs(
  network: Network,
  weights: Weights,
  { streams = false }: { readonly streams?: boolean } = {},
): Graphs {
  const cut = network.nodes.findIndex((node) => node.op === 'sgs');
  const sgs = network.nodes[cut];
  if (sgs?.op !== 'sgs') return { whole: buildWhole(network, weights) };
  const { bytes: lower, size } = buildLower(network, weights, sgs, network.nodes.slice(0, cut));
  const upper = buildUpper(network, weights, sgs, network.nodes.slice(cut + 1), size);
  if (!streams) return { lower, upper };
  const continued = buildLower(network, weights, sgs, continuedLower(network).nodes.slice(0, cut));
  return { lower, continued: continued.bytes, upper };
}

function buildWhole(network: Network, weights: Weights): Uint8Array {
  const graph = createGraphWriter(network.name);
  writeNodes(graph, network, weights, network.nodes, new Map());
  return graph.encode();
}

function buildLower(
  network: Network,
  weights: Weights,
  sgs: SgsNode,
  nodes: readonly NetworkNode[],
): { bytes: Uint8Array; size: Size } {
  const graph = createGraphWriter(`${network.name}-lower`);
  const values = writeNodes(graph, network, weights, nodes, new Map());
  const value = valueOf(values, sgs.input);
  const size = value.channels * value.height * value.width;
  const features = graph.node('Reshape', [inForm(graph, value, 'frames'), graph.ints([-1, size])]);
  const embeddings = writeEmbedding({ graph, weights }, sgs, value);
  graph.output(features, { name: TENSOR.features, type: 'float32', shape: ['steps', size] });
  graph.output(embeddings, { name: TENSOR.embeddings, type: 'float32', shape: ['steps', 'size'] });
  return { bytes: graph.encode(), size: value };
}

function buildUpper(
  network: Network,
  weights: Weights,
  sgs: SgsNode,
  nodes: readonly NetworkNode[],
  size: Size,
): Uint8Array {
  const graph = createGraphWriter(`${network.name}-upper`);
  const { channels, height, width } = size;
  const shape = ['steps', channels * height * width];
  const features = graph.input({ name: TENSOR.features, type: 'float32', shape });
  const plan = graph.input({ name: TENSOR.plan, type: 'float32', shape: ['kept', 'steps'] });
  const rows = graph.node('MatMul', [plan, features]);
  const frames = graph.node('Reshape', [rows, graph.ints([-1, channels, height, width])]);
  const kept = activation('frames', frames, size);
  writeNodes(graph, network, weights, nodes, new Map([[sgs.name, kept]]));
  return graph.encode();
}

/** Writes the nodes in order; `values` holds what earlier graphs computed and is returned with all that is added. */
function writeNodes(
  graph: GraphWriter,
  { options }: Network,
  weights: Weights,
  nodes: readonly NetworkNode[],
  values: Map<string, Activation>,
): Map<string, Activation> {
  const context: LayerContext = { graph, weights };
  const pixelScale = new Map<string, readonly number[]>();
  const input = (name: string): Activation => valueOf(values, name);
  for (const node of nodes) {
    graph.section(node.stage);
    switch (node.op) {
      case 'input': {
        const { height, width } = options;
        const pixels = graph.input({
          name: TENSOR.pixels,
          type: 'uint8',
          shape: ['frames', height, width, 3],
        });
        const { value, scale } = writeInput(graph, pixels, node, { height, width });
        values.set(node.name, value);
        pixelScale.set(node.name, scale);
        break;
      }
      case 'conv':
        values.set(node.name, writeConv(context, node, input(node.input), pixelScale.get(node.input)));
        break;
      case 'max_pool':
        values.set(node.name, writeMaxPool(context, node, input(node.input)));
        break;
      case 'gate':
        values.set(node.name, writeGate(context, node, input(node.input)));
        break;
      case 'concat':
        values.set(node.name, writeConcat(context, node, node.inputs.map(input)));
        break;
      case 'head':
        graph.output(writeHead(context, node, input(node.input)), {
          name: TENSOR.logits,
          type: 'float32',
          shape: [1, node.classes],
        });
        break;
      case 'sgs':
        throw new RangeError('a network is cut at its only SGS layer');
    }
  }
  return values;
}

function valueOf(values: ReadonlyMap<string, Activation>, name: string): Activation {
  const value = values.get(name);
  if (!value) throw new RangeError(`node "${name}" is used before it is computed`);
  return value;
}
