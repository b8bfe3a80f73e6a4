import type { Network, NetworkNode } from '../../network/graph.ts';
import { timeMeansOf, type TimeMean } from '../../network/time-shares.ts';
import { createConv } from './conv.ts';
import { createGate } from './gate.ts';
import type { Layer, LayerContext } from './layer.ts';
import { createMaxPool } from './max-pool.ts';
import { skipSteps } from './steps.ts';

/** A node made ready to run. */
export interface Step {
  readonly name: string;
  readonly stage: string;
  readonly inputs: readonly string[];
  /** Activations that nobody reads after this step. */
  readonly free: readonly string[];
  readonly layer: Layer;
}

/** The layers of some of a network's nodes, in order; input, SGS and head are not layers. */
export function compile(
  context: LayerContext,
  network: Network,
  nodes: readonly NetworkNode[],
  inputScale: readonly number[],
): readonly Step[] {
  const means = timeMeansOf(network);
  return nodes.flatMap((node) => {
    const layer = createLayer(context, node, inputScale);
    if (!layer) return [];
    const { name, stage } = node;
    const read = inputsOf(node);
    const free = read.filter((input) => isLastReader(network, node, input));
    const mean = means.find((one) => one.node === name);
    return [{ name, stage, inputs: mean ? [...read, sharesValue(mean)] : read, free, layer }];
  });
}

/** Name of the shares [t, 1, 1, 1] of a level among the values of a run. */
export function sharesValue({ level }: Pick<TimeMean, 'level'>): string {
  return `shares-${level}`;
}

function createLayer(
  context: LayerContext,
  node: NetworkNode,
  inputScale: readonly number[],
): Layer | undefined {
  switch (node.op) {
    case 'conv':
      return createConv(context, node, node.input === 'input' ? inputScale : undefined);
    case 'max_pool':
      return createMaxPool(context, node);
    case 'gate':
      return createGate(context, node);
    case 'concat':
      return (...inputs) =>
        context.tf.concat(
          inputs.map((input, index) => skipSteps(context.tf, input, node.skips?.[index] ?? 0)),
          3,
        );
    case 'input':
    case 'sgs':
    case 'head':
      return undefined;
  }
}

function inputsOf(node: NetworkNode): readonly string[] {
  if ('inputs' in node) return node.inputs;
  return 'input' in node ? [node.input] : [];
}

function isLastReader(network: Network, node: NetworkNode, input: string): boolean {
  return network.nodes.findLast((reader) => inputsOf(reader).includes(input)) === node;
}
