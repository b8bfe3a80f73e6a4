import type { ConcatNode, GateNode } from '../../../network/graph.ts';
import { CLIPS } from '../graph-writer.ts';
import { gateNames } from '../../../network/weight-shapes.ts';
import { tensorOf } from '../../../weights/tensor-of.ts';
import {
  blocked,
  BLOCKED_DOMAIN,
  channelsInMemory,
  heldOrder,
  inOrder,
  POINT,
  applyGate,
  trimSpareRows,
  type BlockedActivation,
} from './blocked-activation.ts';
import type { BlockedContext } from './blocked-context.ts';
import { skipBlockedSteps } from './blocked-steps.ts';
import { blockBias, blockFilter } from './blocked-filter.ts';

/**
 * Self-gating. The gate is only computed here: a maximum of positive multiples is the multiple of
 * the maximum, and a 1×1×1 convolution takes it into its weights, so that in the S3D family no
 * activation is ever scaled.
 */
export function writeBlockedGate(
  context: BlockedContext,
  node: GateNode,
  input: BlockedActivation,
): BlockedActivation {
  const { graph, weights, size, shares } = context;
  const value = trimSpareRows(graph, applyGate(graph, input, size), size);
  const names = gateNames(node);
  const filter = blockFilter(tensorOf(weights, names.weight).data, {
    outputs: node.channels,
    inputRuns: value.runs,
    size,
  });
  const constants = [graph.floats(filter.data, [...filter.channels, 1, 1])];
  if (names.bias !== undefined) {
    const bias = blockBias(tensorOf(weights, names.bias).data, size);
    constants.push(graph.floats(bias, [bias.length]));
  }
  const share = shares?.(node.name);
  const mean = share === undefined ? plainMean(context, value) : weightedMean(context, value, share);
  const attributes = { ...POINT, activation: 'Sigmoid' };
  const gate = graph.node('Conv', [mean, ...constants], attributes, BLOCKED_DOMAIN);
  const gated = { ...value, gate };
  // A weight is common to all clips, a gate is not.
  return graph.batched ? applyGate(graph, gated, size) : gated;
}

/** [n, c, 1, 1] */
function plainMean(context: BlockedContext, value: BlockedActivation): string {
  const { graph, size } = context;
  const order = heldOrder(value);
  const means = graph.node('GlobalAveragePool', [inOrder(graph, value, size, order)], {}, BLOCKED_DOMAIN);
  return order === 'steps' ? means : meanOfFrames(context, means, value);
}

/** Of steps that weigh their share [n, t]: the mean of each frame first, whichever order they lie in. */
function weightedMean({ graph, size }: BlockedContext, value: BlockedActivation, share: string): string {
  const { height, width } = value;
  const channels = channelsInMemory(value.runs, size);
  const order = heldOrder(value);
  const held = inOrder(graph, value, size, order);
  const frames = graph.reshape(held, [-1, size, height, width]);
  const means = graph.node('GlobalAveragePool', [frames], {}, BLOCKED_DOMAIN);
  const blocks = channels / size;
  const [memory, weights, axis] =
    order === 'steps'
      ? ([[CLIPS, blocks, -1, size], [CLIPS, 1, -1, 1], 2] as const)
      : ([[CLIPS, -1, blocks, size], [CLIPS, -1, 1, 1], 1] as const);
  const weighted = graph.node('Mul', [graph.reshape(means, memory), graph.reshape(share, weights)]);
  const sum = graph.node('ReduceSum', [weighted, graph.ints([axis])], { keepdims: 0 });
  return graph.reshape(sum, [CLIPS, channels, 1, 1]);
}

/** [n·t, c, 1, 1] → [n, c, 1, 1] */
function meanOfFrames({ graph, size }: BlockedContext, means: string, { runs }: BlockedActivation): string {
  const channels = channelsInMemory(runs, size);
  const perStep = graph.reshape(means, [CLIPS, -1, channels, 1]);
  const mean = graph.node('ReduceMean', [perStep, graph.ints([1])], { keepdims: 1 });
  return graph.reshape(mean, [CLIPS, channels, 1, 1]);
}

/** Blocked weights [o, i, 1, 1] with each input channel scaled by its gate. */
export function scaleFilter(
  { graph, size }: BlockedContext,
  filter: string,
  [outputs, inputs]: readonly [number, number],
  gate: string,
): string {
  // Each gate value S times, so that the product runs along whole rows of the filter.
  const ones = graph.floats(new Float32Array(size).fill(1), [1, size]);
  const column = graph.reshape(gate, [inputs, 1]);
  const repeated = graph.reshape(graph.node('Mul', [column, ones]), [1, inputs * size]);
  const rows = graph.reshape(filter, [outputs / size, inputs * size]);
  return graph.reshape(graph.node('Mul', [rows, repeated]), [outputs, inputs, 1, 1]);
}

/** Branches one after the other; where one has a gate, all get one. */
export function writeBlockedConcat(
  context: BlockedContext,
  { skips }: Pick<ConcatNode, 'skips'>,
  branches: readonly BlockedActivation[],
): BlockedActivation {
  const { graph, size } = context;
  const inputs = branches.map((branch, index) => skipBlockedSteps(context, branch, skips?.[index] ?? 0));
  const [first] = inputs;
  if (!first) throw new RangeError('a concatenation needs inputs');
  const order = inputs.every(({ orders }) => orders.has('frames')) ? 'frames' : 'steps';
  const tensors = inputs.map((input) => inOrder(graph, trimSpareRows(graph, input, size), size, order));
  const shape = { ...first, runs: inputs.flatMap(({ runs }) => runs), spareRows: 0 };
  const joined = graph.node('Concat', tensors, { axis: 1 });
  if (inputs.every(({ gate }) => gate === undefined)) return blocked(order, joined, shape);
  const gates = inputs.map(({ gate, runs }) => {
    if (gate !== undefined) return gate;
    const channels = channelsInMemory(runs, size);
    return graph.floats(new Float32Array(channels).fill(1), [1, channels, 1, 1]);
  });
  return blocked(order, joined, { ...shape, gate: graph.node('Concat', gates, { axis: 1 }) });
}
