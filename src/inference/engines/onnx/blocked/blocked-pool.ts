import type { MaxPoolNode } from '../../../network/graph.ts';
import { axisMode, axisPadding, type AxisPadding } from '../../../network/padding.ts';
import { CLIPS, type Dimension } from '../graph-writer.ts';
import { hasSurplusSteps, timeWindow } from '../windowed.ts';
import {
  blocked,
  BLOCKED_DOMAIN,
  channelsInMemory,
  heldOrder,
  inOrder,
  trimSpareRows,
  type BlockedActivation,
} from './blocked-activation.ts';
import type { BlockedContext } from './blocked-context.ts';
import { cutBlockedSteps, strideBlockedSteps } from './blocked-steps.ts';

/** A pool over time and space is split in two, as a maximum of maxima; a gate waits until after it. */
export function writeBlockedMaxPool(
  context: BlockedContext,
  node: MaxPoolNode,
  input: BlockedActivation,
): BlockedActivation {
  return poolSpace(context, node, poolTime(context, node, input));
}

function poolTime(context: BlockedContext, node: MaxPoolNode, input: BlockedActivation): BlockedActivation {
  const { graph, size } = context;
  const [kt] = node.kernel;
  const [st] = node.stride;
  if (kt === 1) return strideBlockedSteps(context, input, st);
  const before = inOrder(graph, input, size, 'steps');
  const attributes = { kernel_shape: [kt, 1], strides: [st, 1], ...timeWindow(node) };
  const out = blocked('steps', graph.node('MaxPool', [before], attributes, BLOCKED_DOMAIN), input);
  return hasSurplusSteps(node) ? cutBlockedSteps(context, out, before, node) : out;
}

/** Every block of every step is a frame of S channels, in either order. */
function poolSpace(
  { graph, size }: BlockedContext,
  node: MaxPoolNode,
  input: BlockedActivation,
): BlockedActivation {
  const [, kh, kw] = node.kernel;
  const [, sh, sw] = node.stride;
  if (kh === 1 && kw === 1 && sh === 1 && sw === 1) return input;
  const vertical = axisPadding(axisMode(node.padding, 1), input.height, kh, sh);
  const horizontal = axisPadding(axisMode(node.padding, 2), input.width, kw, sw);
  const value = reachesBelow(vertical, input.height, kh, sh) ? trimSpareRows(graph, input, size) : input;
  const order = heldOrder(value);
  const rows = value.height + value.spareRows;
  const channels = channelsInMemory(value.runs, size);
  const held = inOrder(graph, value, size, order);
  const frames = graph.reshape(held, [-1, size, rows, value.width]);
  const after = value.spareRows > 0 ? 0 : vertical.after;
  const attributes = {
    kernel_shape: [kh, kw],
    strides: [sh, sw],
    pads: [vertical.before, horizontal.before, after, horizontal.after],
  };
  const pooled = graph.node('MaxPool', [frames], attributes, BLOCKED_DOMAIN);
  const rowsOut = value.spareRows > 0 ? Math.floor((rows + vertical.before - kh) / sh) + 1 : vertical.out;
  const shape: readonly Dimension[] =
    order === 'steps'
      ? [CLIPS, channels, -1, rowsOut * horizontal.out]
      : [-1, channels, rowsOut, horizontal.out];
  const size2d = { height: vertical.out, width: horizontal.out, spareRows: rowsOut - vertical.out };
  return blocked(order, graph.reshape(pooled, shape), { ...value, ...size2d });
}

/** Whether the last window reaches below the frame. */
function reachesBelow({ before, out }: AxisPadding, height: number, kernel: number, stride: number): boolean {
  return (out - 1) * stride - before + kernel > height;
}
