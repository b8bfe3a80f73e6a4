import type { ConvNode } from '../../../network/graph.ts';
import { CLIPS } from '../graph-writer.ts';
import { repeatEdges } from '../edge-steps.ts';
import { cutSurplusSteps, onSteps } from '../windowed.ts';
import {
  blocked,
  channelsInMemory,
  heldOrder,
  inOrder,
  slice,
  type BlockedActivation,
} from './blocked-activation.ts';
import type { BlockedContext } from './blocked-context.ts';

/** Every `stride`-th step, from the first. */
export function strideBlockedSteps(
  context: BlockedContext,
  value: BlockedActivation,
  stride: number,
): BlockedActivation {
  if (stride === 1) return value;
  return chooseSteps(context, value, (tensor, axis) => slice(context.graph, tensor, axis, { stride }));
}

/** All but the first `count` steps. */
export function skipBlockedSteps(
  context: BlockedContext,
  value: BlockedActivation,
  count: number,
): BlockedActivation {
  if (count === 0) return value;
  return chooseSteps(context, value, (tensor, axis) => slice(context.graph, tensor, axis, { from: count }));
}

/** See cutSurplusSteps; `before` is the tensor [n, c, t, h·w] that the window slid over. */
export function cutBlockedSteps(
  context: BlockedContext,
  value: BlockedActivation,
  before: string,
  node: Pick<ConvNode, 'kernel' | 'stride'>,
): BlockedActivation {
  return chooseSteps(context, value, (tensor, axis) =>
    cutSurplusSteps(context.graph, { tensor, axis }, { tensor: before, axis: 2 }, node),
  );
}

/** In `steps` order, with the first and last step repeated as repeatEdges does. */
export function repeatBlockedEdges(
  context: BlockedContext,
  value: BlockedActivation,
  node: ConvNode,
): BlockedActivation {
  const { graph, size } = context;
  const steps = blocked('steps', inOrder(graph, value, size, 'steps'), value);
  return chooseSteps(context, steps, (tensor, axis) => repeatEdges(graph, tensor, axis, node));
}

/** Applies `choose` to the axis on which time steps lie in memory. */
function chooseSteps(
  { graph, size }: BlockedContext,
  value: BlockedActivation,
  choose: (tensor: string, axis: number) => string,
): BlockedActivation {
  const order = heldOrder(value);
  const tensor = inOrder(graph, value, size, order);
  const channels = channelsInMemory(value.runs, size);
  if (order === 'frames')
    return blocked('frames', onSteps(graph, tensor, { ...value, channels }, choose), value);
  const pixels = (value.height + value.spareRows) * value.width;
  const blocks = graph.reshape(tensor, [CLIPS, channels / size, -1, pixels * size]);
  return blocked('steps', graph.reshape(choose(blocks, 2), [CLIPS, channels, -1, pixels]), value);
}
