import { CLIPS, type Dimension, type GraphWriter } from '../graph-writer.ts';
import { activation, type Activation } from '../layouts.ts';

/**
 * Operators of ONNX Runtime that read and write its blocked memory; its own optimiser puts the same
 * ones into plain graphs.
 */
export const BLOCKED_DOMAIN = 'com.microsoft.nchwc';

/**
 * An activation in ONNX Runtime's blocked memory ("NCHWc"): S channels lie side by side, S one
 * vector register. Two memory orders exist, both free of any cost until one is turned into the
 * other by moving whole frames of a block: `steps` [n, c/S, t, h, w, S] of n clips, which operators
 * see as [n, c, t, h·w]: temporal convolutions, concatenation; `frames` [n, t, c/S, h, w, S], which
 * they see as [n·t, c, h, w]: spatial convolutions. A 1×1×1 convolution takes either.
 */
export interface BlockedActivation {
  /** Real channels of each run; a run is filled up with zero channels to whole blocks. */
  readonly runs: readonly number[];
  readonly height: number;
  readonly width: number;
  /** Rows below each frame that hold no frame (stacked-stem.ts); only in `steps` order. */
  readonly spareRows: number;
  /**
   * [n, c, 1, 1]: a gate that is still to scale the channels. Consumers take it into their weights
   * where they can.
   */
  readonly gate?: string;
  /** Tensor names without the gate; grows as orders are asked for. */
  readonly orders: Map<Order, string>;
}

export type Order = 'steps' | 'frames';

export type BlockedShape = Omit<BlockedActivation, 'orders'>;

export function blocked(order: Order, tensor: string, shape: BlockedShape): BlockedActivation {
  const { runs, height, width, spareRows, gate } = shape;
  const orders = new Map([[order, tensor]]);
  return { runs, height, width, spareRows, orders, ...(gate !== undefined && { gate }) };
}

/** Channels in memory: every run filled up to whole blocks of `size`. */
export function channelsInMemory(runs: readonly number[], size: number): number {
  return runs.reduce((sum, run) => sum + Math.ceil(run / size) * size, 0);
}

/** The order in which it is held, `steps` where it is held in both. */
export function heldOrder(value: BlockedActivation): Order {
  return value.orders.has('steps') ? 'steps' : 'frames';
}

/** Name of the tensor in that order, without its gate; `frames` has no spare rows. */
export function inOrder(graph: GraphWriter, value: BlockedActivation, size: number, order: Order): string {
  const known = value.orders.get(order);
  if (known !== undefined) return known;
  const { runs, height, width } = value;
  const channels = channelsInMemory(runs, size);
  const shape: readonly Dimension[] =
    order === 'frames' ? [-1, channels, height, width] : [CLIPS, channels, -1, height * width];
  const tensor = graph.reshape(turned(graph, value, size), shape);
  value.orders.set(order, tensor);
  return tensor;
}

/**
 * Whole frames moved from the one order that it is held in to the other, without spare rows: [n, t,
 * c/S, h·w·S] or [n, c/S, t, h·w·S].
 */
export function turned(graph: GraphWriter, value: BlockedActivation, size: number): string {
  const { runs, height, width, spareRows, orders } = value;
  const order = heldOrder(value);
  const held = orders.get(order);
  if (held === undefined) throw new RangeError('an activation is held in no order');
  const blocks = channelsInMemory(runs, size) / size;
  const plane = height * width * size;
  const outer = order === 'steps' ? [blocks, -1] : [-1, blocks];
  const frames = graph.reshape(held, [CLIPS, ...outer, plane + spareRows * width * size]);
  const trimmed = spareRows === 0 ? frames : slice(graph, frames, 3, { to: plane });
  return graph.node('Transpose', [trimmed], { perm: [0, 2, 1, 3] });
}

/**
 * The same activation with its gate multiplied in: a depthwise 1×1 convolution whose weights are
 * the gate.
 */
export function applyGate(graph: GraphWriter, value: BlockedActivation, size: number): BlockedActivation {
  const { gate, ...shape } = value;
  if (gate === undefined) return value;
  const channels = channelsInMemory(value.runs, size);
  const order = heldOrder(value);
  if (graph.batched) return blocked(order, scaled(graph, value, { gate, order, size }), shape);
  const weights = graph.reshape(gate, [channels, 1, 1, 1]);
  const inputs = [inOrder(graph, value, size, order), weights];
  const gated = graph.node('Conv', inputs, { group: channels, ...POINT }, BLOCKED_DOMAIN);
  return blocked(order, gated, shape);
}

/** Each clip's channels times its own gate. */
function scaled(
  graph: GraphWriter,
  value: BlockedActivation,
  { gate, order, size }: { readonly gate: string; readonly order: Order; readonly size: number },
): string {
  const { runs, height, width, spareRows } = value;
  const channels = channelsInMemory(runs, size);
  const blocks = channels / size;
  const rows = height + spareRows;
  const held = inOrder(graph, value, size, order);
  const times = (shape: readonly Dimension[], gateShape: readonly Dimension[]): string =>
    graph.node('Mul', [graph.reshape(held, shape), graph.reshape(gate, gateShape)]);
  return order === 'steps'
    ? graph.reshape(times([CLIPS, blocks, -1, size], [CLIPS, blocks, 1, size]), [
        CLIPS,
        channels,
        -1,
        rows * width,
      ])
    : graph.reshape(times([CLIPS, -1, blocks, rows * width, size], [CLIPS, 1, blocks, 1, size]), [
        -1,
        channels,
        rows,
        width,
      ]);
}

/** Without the rows that hold no frame. */
export function trimSpareRows(graph: GraphWriter, value: BlockedActivation, size: number): BlockedActivation {
  if (value.spareRows === 0) return value;
  return blocked('frames', inOrder(graph, value, size, 'frames'), { ...value, spareRows: 0 });
}

/** To the memory that every operator reads. */
export function toPlain(graph: GraphWriter, value: BlockedActivation, size: number): Activation {
  const gated = trimSpareRows(graph, applyGate(graph, value, size), size);
  const { runs, height, width } = gated;
  const order = heldOrder(gated);
  const inMemory = channelsInMemory(runs, size);
  const reordered = graph.node(
    'ReorderOutput',
    [inOrder(graph, gated, size, order)],
    { channels: inMemory },
    BLOCKED_DOMAIN,
  );
  const channels = runs.reduce((sum, run) => sum + run, 0);
  const tensor =
    channels === inMemory
      ? reordered
      : graph.node('Gather', [reordered, graph.ints(placesOf(runs, size))], { axis: 1 });
  return activation(order, tensor, { channels, height, width });
}

/** Where each real channel stands in memory. */
export function placesOf(runs: readonly number[], size: number): readonly number[] {
  let start = 0;
  return runs.flatMap((run) => {
    const first = start;
    start += Math.ceil(run / size) * size;
    return Array.from({ length: run }, (_, i) => first + i);
  });
}

/** Attributes of a window of one pixel. */
export const POINT = { kernel_shape: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0] };

export function slice(
  graph: GraphWriter,
  tensor: string,
  axis: number,
  { from = 0, to = Number.MAX_SAFE_INTEGER, stride = 1 }: { from?: number; to?: number; stride?: number },
): string {
  const [starts, ends] = [graph.ints([from]), graph.ints([to])];
  return graph.node('Slice', [tensor, starts, ends, graph.ints([axis]), graph.ints([stride])]);
}
