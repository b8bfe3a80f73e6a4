import type { Network, NetworkNode } from './graph.ts';
import { headWindow } from './head-window.ts';
import { axisMode, axisPadding } from './padding.ts';

/** [t, h, w, c] */
export type Shape = readonly [t: number, h: number, w: number, c: number];

interface LayerCost {
  readonly name: string;
  readonly multiplyAdds: number;
  readonly parameters: number;
  readonly outputShape: Shape;
}

export interface NetworkCost {
  readonly multiplyAdds: number;
  readonly parameters: number;
  /** Before and at the SGS layer (all of it where there is none): independent of the kept steps. */
  readonly lowerMultiplyAdds: number;
  /**
   * Steps that arrive at the SGS layer, T'; without one, those that leave the stem, so that
   * receipts can be compared.
   */
  readonly inputSteps: number;
  /** One row a stage, in order. */
  readonly layers: readonly LayerCost[];
}

/**
 * Counts multiply-adds as published figures do: one per multiplication of a convolution or fully
 * connected layer, taps that fall on padding included; pooling, activations, normalisation and the
 * gate's product are not counted. `keptSteps` is the number of maps that leave the SGS layer
 * (default: all that enter it).
 */
export function countCost(
  network: Network,
  { keptSteps }: { readonly keptSteps?: number } = {},
): NetworkCost {
  const shapes = shapesOf(network, keptSteps);
  const layers: { name: string; multiplyAdds: number; parameters: number; outputShape: Shape }[] = [];
  let lowerMultiplyAdds = 0;
  let inputSteps = shapes.get('MaxPool_2a')![0];
  let aboveCut = false;
  for (const node of network.nodes) {
    if (node.op === 'input') continue;
    const output = shapes.get(node.name)!;
    const cost = costOf(node, shapes);
    let layer = layers.at(-1);
    if (layer?.name !== node.stage) {
      layer = { name: node.stage, multiplyAdds: 0, parameters: 0, outputShape: output };
      layers.push(layer);
    }
    layer.multiplyAdds += cost.multiplyAdds;
    layer.parameters += cost.parameters;
    layer.outputShape = output;
    if (!aboveCut) lowerMultiplyAdds += cost.multiplyAdds;
    if (node.op === 'sgs') {
      aboveCut = true;
      inputSteps = shapes.get(node.input)![0];
    }
  }
  const sum = (key: 'multiplyAdds' | 'parameters'): number =>
    layers.reduce((total, layer) => total + layer[key], 0);
  return {
    multiplyAdds: sum('multiplyAdds'),
    parameters: sum('parameters'),
    lowerMultiplyAdds,
    inputSteps,
    layers,
  };
}

/**
 * Multiply-adds of the nodes up to and with the SGS layer for so many frames: of the network
 * itself, or of its continued lower stage (continued-lower.ts). `embedding` is the SGS layer's part
 * of it.
 */
export function countLower(
  network: Network,
  frames: number,
): { readonly multiplyAdds: number; readonly embedding: number } {
  const cut = network.nodes.findIndex((node) => node.op === 'sgs');
  const nodes = network.nodes.slice(0, cut + 1);
  const shapes = shapesOf({ ...network, nodes, options: { ...network.options, frames } });
  let multiplyAdds = 0;
  let embedding = 0;
  for (const node of nodes) {
    if (node.op === 'input') continue;
    const cost = costOf(node, shapes).multiplyAdds;
    multiplyAdds += cost;
    if (node.op === 'sgs') embedding = cost;
  }
  return { multiplyAdds, embedding };
}

/** Output shape of every node, by name, for the network's own frames and size. */
export function shapesOf(network: Network, keptSteps?: number): ReadonlyMap<string, Shape> {
  const { frames, height, width } = network.options;
  const shapes = new Map<string, Shape>();
  const of = (name: string): Shape => shapes.get(name)!;
  for (const node of network.nodes) {
    switch (node.op) {
      case 'input':
        shapes.set(node.name, [frames - (node.skip ?? 0), height, width, 3]);
        break;
      case 'conv':
      case 'max_pool': {
        const [t, h, w, c] = of(node.input);
        const out = (n: number, axis: 0 | 1 | 2): number =>
          axisPadding(axisMode(node.padding, axis), n, node.kernel[axis], node.stride[axis]).out;
        shapes.set(node.name, [out(t, 0), out(h, 1), out(w, 2), node.op === 'conv' ? node.outChannels : c]);
        break;
      }
      case 'gate':
        shapes.set(node.name, of(node.input));
        break;
      case 'concat': {
        const [t, h, w] = of(node.inputs[0]!);
        const steps = t - (node.skips?.[0] ?? 0);
        shapes.set(node.name, [steps, h, w, node.inputs.reduce((sum, name) => sum + of(name)[3], 0)]);
        break;
      }
      case 'sgs': {
        const [t, h, w, c] = of(node.input);
        shapes.set(node.name, [keptSteps ?? t, h, w, c]);
        break;
      }
      case 'head':
        shapes.set(node.name, [1, 1, 1, node.classes]);
        break;
    }
  }
  return shapes;
}

function costOf(
  node: Exclude<NetworkNode, { op: 'input' }>,
  shapes: ReadonlyMap<string, Shape>,
): { multiplyAdds: number; parameters: number } {
  const [t, h, w] = shapes.get(node.name)!;
  switch (node.op) {
    case 'conv': {
      const [kt, kh, kw] = node.kernel;
      const weights = node.inChannels * node.outChannels * kt * kh * kw;
      return { multiplyAdds: weights * t * h * w, parameters: weights + 2 * node.outChannels };
    }
    case 'gate': {
      const weights = node.channels * node.channels;
      return { multiplyAdds: weights, parameters: weights + (node.bias ? node.channels : 0) };
    }
    case 'sgs': {
      if (node.embedding.kind !== 'learned') return { multiplyAdds: 0, parameters: 0 };
      const { size } = node.embedding;
      const hidden = Math.floor(node.channels / 2);
      const weights = node.channels * hidden + hidden * size;
      const steps = shapes.get(node.input)![0];
      return { multiplyAdds: weights * steps, parameters: weights + hidden + size + 2 * size };
    }
    case 'head': {
      if (!node.classifier) return { multiplyAdds: 0, parameters: 0 };
      const [inT, inH, inW] = shapes.get(node.input)!;
      const [kt, kh, kw] = headWindow(node, [inT, inH, inW]);
      const positions = (inT - kt + 1) * (inH - kh + 1) * (inW - kw + 1);
      const weights = node.inChannels * node.classes;
      return { multiplyAdds: weights * positions, parameters: weights + node.classes };
    }
    case 'max_pool':
    case 'concat':
      return { multiplyAdds: 0, parameters: 0 };
  }
}
