import type { ConvNode } from '../../../network/graph.ts';
import { axisMode, axisPadding } from '../../../network/padding.ts';
import { convNames } from '../../../network/weight-shapes.ts';
import { foldBatchNorm } from '../../../weights/fold-batch-norm.ts';
import { batchNormOf, tensorOf } from '../../../weights/tensor-of.ts';
import { repeatEdges, withoutTimePadding } from '../edge-steps.ts';
import { inForm, type Activation } from '../layouts.ts';
import { hasSurplusSteps, onSteps, timeWindow } from '../windowed.ts';
import {
  blocked,
  BLOCKED_DOMAIN,
  channelsInMemory,
  heldOrder,
  inOrder,
  applyGate,
  slice,
  trimSpareRows,
  type BlockedActivation,
} from './blocked-activation.ts';
import type { BlockedContext } from './blocked-context.ts';
import { cutBlockedSteps, repeatBlockedEdges, strideBlockedSteps } from './blocked-steps.ts';
import { blockBias, blockFilter } from './blocked-filter.ts';
import { scaleFilter } from './blocked-gate.ts';
import type { Folded } from './folded.ts';
import { padSteps } from './pad-steps.ts';
import { writeStackedStem, type StackedInput } from './stacked-stem.ts';

/** What a convolution reads: the network's input is plain, all else is blocked. */
export type ConvInput = Activation | StackedInput | BlockedActivation;

/**
 * Convolution with its batch norm folded in, then ReLU: one operator, or one a time tap where time
 * and space are dense.
 */
export function writeBlockedConv(
  context: BlockedContext,
  node: ConvNode,
  input: ConvInput,
  inputScale?: readonly number[],
): BlockedActivation {
  const { weights } = context;
  const names = convNames(node);
  const folded = foldBatchNorm(
    tensorOf(weights, names.weight),
    batchNormOf(weights, names.batchNorm, node.batchNormEpsilon),
    inputScale ? { inputScale } : {},
  );
  const [kt, kh, kw] = node.kernel;
  const [, sh, sw] = node.stride;
  const spatial = kh > 1 || kw > 1 || sh > 1 || sw > 1;
  if ('tall' in input) return writeStackedStem(context, node, input, folded);
  if ('forms' in input) return writeSpatial(context, node, input, folded);
  if (spatial) return writeSpatial(context, node, applyGate(context.graph, input, context.size), folded);
  return kt > 1
    ? writeTemporal(context, node, applyGate(context.graph, input, context.size), folded)
    : writePoint(context, node, input, folded);
}

/** 1×1×1: in whichever order the input is held; a gate that waits scales the weights. */
function writePoint(
  context: BlockedContext,
  node: ConvNode,
  input: BlockedActivation,
  { weight, bias }: Folded,
): BlockedActivation {
  const { graph, size } = context;
  const strided = strideBlockedSteps(context, input, node.stride[0]);
  const order = heldOrder(strided);
  const filter = blockFilter(weight, { outputs: node.outChannels, inputRuns: input.runs, size });
  const constant = graph.floats(filter.data, [...filter.channels, 1, 1]);
  const scaled =
    input.gate === undefined ? constant : scaleFilter(context, constant, filter.channels, input.gate);
  const tensor = graph.node(
    'Conv',
    [inOrder(graph, strided, size, order), scaled, biasOf(context, bias)],
    { kernel_shape: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], activation: 'Relu' },
    BLOCKED_DOMAIN,
  );
  const { height, width, spareRows } = strided;
  return blocked(order, tensor, { runs: [node.outChannels], height, width, spareRows });
}

/** k×1×1, over `steps`; spare rows stay what they are. */
function writeTemporal(
  context: BlockedContext,
  node: ConvNode,
  input: BlockedActivation,
  { weight, bias }: Folded,
): BlockedActivation {
  const { graph, size } = context;
  const [kt] = node.kernel;
  const [st] = node.stride;
  const filter = blockFilter(weight, { outputs: node.outChannels, inputRuns: input.runs, size });
  const before = inOrder(graph, input, size, 'steps');
  const [steps, padding] = node.repeatsEdges
    ? [inOrder(graph, repeatBlockedEdges(context, input, node), size, 'steps'), withoutTimePadding(node)]
    : [before, node.padding];
  const tensor = graph.node(
    'Conv',
    [steps, graph.floats(filter.data, [...filter.channels, kt, 1]), biasOf(context, bias)],
    { kernel_shape: [kt, 1], strides: [st, 1], ...timeWindow({ ...node, padding }), activation: 'Relu' },
    BLOCKED_DOMAIN,
  );
  const { height, width, spareRows } = input;
  const out = blocked('steps', tensor, { runs: [node.outChannels], height, width, spareRows });
  return hasSurplusSteps(node) ? cutBlockedSteps(context, out, before, node) : out;
}

/**
 * 1×k×k over `frames`; k×k×k as the sum of one such convolution a time tap, each over its own
 * choice of frames.
 */
function writeSpatial(
  context: BlockedContext,
  node: ConvNode,
  input: Activation | BlockedActivation,
  { weight, bias }: Folded,
): BlockedActivation {
  const { graph, size } = context;
  const [kt, kh, kw] = node.kernel;
  const [st, sh, sw] = node.stride;
  const plain = 'forms' in input;
  const source = plain
    ? inForm(graph, input, 'frames')
    : inOrder(graph, trimSpareRows(graph, input, size), size, 'frames');
  const runs = plain ? [input.channels] : input.runs;
  const vertical = axisPadding(axisMode(node.padding, 1), input.height, kh, sh);
  const horizontal = axisPadding(axisMode(node.padding, 2), input.width, kw, sw);
  const attributes = {
    kernel_shape: [kh, kw],
    strides: [sh, sw],
    pads: [vertical.before, horizontal.before, vertical.after, horizontal.after],
  };
  const { height, width } = input;
  const frame = { channels: plain ? input.channels : channelsInMemory(runs, size), height, width };
  const frames =
    kt === 1
      ? source
      : onSteps(graph, source, frame, (steps, axis) =>
          node.repeatsEdges ? repeatEdges(graph, steps, axis, node) : padSteps(graph, steps, axis, node),
        );
  let sum: string | undefined;
  for (let tap = 0; tap < kt; tap++) {
    const last = tap === kt - 1;
    const chosen =
      kt === 1 && st === 1
        ? frames
        : onSteps(graph, frames, frame, (steps, axis) =>
            slice(graph, steps, axis, { from: tap, stride: st, ...(!last && { to: tap + 1 - kt }) }),
          );
    const filter = blockFilter(tapOf(weight, kt, kh * kw, tap), {
      outputs: node.outChannels,
      inputRuns: runs,
      size,
      isPlain: plain,
    });
    const constant = graph.floats(filter.data, [...filter.channels, kh, kw]);
    sum = graph.node(
      'Conv',
      [chosen, constant, tap === 0 ? biasOf(context, bias) : '', ...(sum === undefined ? [] : [sum])],
      { ...attributes, ...(last && { activation: 'Relu' }) },
      BLOCKED_DOMAIN,
    );
  }
  if (sum === undefined) throw new RangeError(`${node.name} has no taps`);
  const shape = { runs: [node.outChannels], height: vertical.out, width: horizontal.out, spareRows: 0 };
  return blocked('frames', sum, shape);
}

/** [o, i, kt, kh·kw] → [o, i, kh·kw] of one tap. */
function tapOf(weight: Float32Array, kt: number, area: number, tap: number): Float32Array {
  if (kt === 1) return weight;
  const out = new Float32Array(weight.length / kt);
  for (let row = 0; row < out.length / area; row++) {
    const start = (row * kt + tap) * area;
    out.set(weight.subarray(start, start + area), row * area);
  }
  return out;
}

function biasOf({ graph, size }: BlockedContext, bias: Float32Array): string {
  const data = blockBias(bias, size);
  return graph.floats(data, [data.length]);
}
