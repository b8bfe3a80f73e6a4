import { shapesOf, type Shape } from '../../network/cost.ts';
import type { Network } from '../../network/graph.ts';
import { createEmbedding } from './embedding.ts';
import { createHead } from './head.ts';
import { createInput } from './input.ts';
import type { Activation, LayerContext } from './layer.ts';
import { compile, type Step } from './program.ts';
import type { Tensor2D } from './tensorflow.ts';

/** The nodes below the cut, or all where there is none. */
export interface LowerProgram {
  readonly encode: (pixels: Activation) => Activation;
  readonly steps: readonly Step[];
  readonly size: readonly [height: number, width: number];
}

export interface Cut {
  readonly name: string;
  /** What enters it: [t, h, w, c] of a whole clip. */
  readonly shape: Shape;
  readonly embed: (features: Activation) => Tensor2D;
}

/** A network as programs below and above its SGS layer, its constants in place. */
export function compileNetwork(network: Network, context: LayerContext) {
  const { nodes } = network;
  const at = nodes.findIndex((node) => node.op === 'sgs');
  const [sgs, head] = [nodes[at], nodes.at(-1)];
  if (head?.op !== 'head') throw new RangeError(`${network.name} has no head`);
  const shape = sgs && shapesOf(network).get(sgs.name);
  const cut: Cut | undefined =
    sgs?.op === 'sgs' && shape ? { name: sgs.name, shape, embed: createEmbedding(context, sgs) } : undefined;
  return {
    lower: compileLower(context, network),
    cut,
    upper: cut ? compile(context, network, nodes.slice(at + 1), []) : [],
    classify: createHead(context, head),
  };
}

export function compileLower(context: LayerContext, network: Network): LowerProgram {
  const { nodes, options } = network;
  const [first] = nodes;
  if (first?.op !== 'input') throw new RangeError(`${network.name} has no input`);
  const { encode, scale } = createInput(context, first);
  const at = nodes.findIndex((node) => node.op === 'sgs');
  const below = at < 0 ? nodes : nodes.slice(0, at);
  return { encode, steps: compile(context, network, below, scale), size: [options.height, options.width] };
}
