import type { Padding } from '../../network/graph.ts';
import { axisMode, axisPadding, type AxisMode } from '../../network/padding.ts';
import type { Triple } from '../../network/stages.ts';
import { CLIPS, type GraphWriter } from './graph-writer.ts';
import { activation, inForm, type Activation, type Form, type Size } from './layouts.ts';
import type { OnnxAttribute } from './onnx-proto.ts';

export interface Window {
  readonly kernel: Triple;
  readonly stride: Triple;
  readonly padding: Padding;
}

/**
 * The axes of t, h, w that a form's sliding window moves over; `steps` has h·w as one axis, which
 * stays untouched.
 */
const WINDOW_AXES = {
  frames: ['h', 'w'],
  planes: ['h', 'w'],
  volume: ['t', 'h', 'w'],
  steps: ['t', 'hw'],
} as const satisfies Record<Form, readonly string[]>;

/**
 * Slides a Conv or MaxPool over an activation held in `form`, with the padding of padding.ts.
 * Height and width are known when the graph is written, the number of steps only at run time: TF's
 * SAME is ONNX's SAME_UPPER, symmetric padding does not depend on the length for odd kernels, and
 * for even ones the graph pads up to one kernel and cuts surplus steps; a fixed number of zeros in
 * front and k − 1 in all give ⌈n/s⌉ steps of any n.
 */
export function slideWindow(
  graph: GraphWriter,
  value: Activation,
  form: Form,
  { kernel, stride, padding }: Window,
  layer: {
    readonly op: 'Conv' | 'MaxPool';
    readonly constants: readonly string[];
    readonly channels: number;
  },
): Activation {
  const [kt, kh, kw] = kernel;
  const [st, sh, sw] = stride;
  const byAxis = {
    t: { mode: axisMode(padding, 0), length: undefined, kernel: kt, stride: st },
    h: { mode: axisMode(padding, 1), length: value.height, kernel: kh, stride: sh },
    w: { mode: axisMode(padding, 2), length: value.width, kernel: kw, stride: sw },
    hw: { mode: 'symmetric', length: value.height * value.width, kernel: 1, stride: 1 } as const,
  };
  const axes = WINDOW_AXES[form].map((axis) => byAxis[axis]);
  const attributes: Record<string, OnnxAttribute> = {
    kernel_shape: axes.map((axis) => axis.kernel),
    strides: axes.map((axis) => axis.stride),
  };
  if (padding === 'same') {
    attributes['auto_pad'] = 'SAME_UPPER';
  } else {
    const pads = axes.map((axis) =>
      axis.length === undefined
        ? timePadding(axis.mode, axis.kernel)
        : axisPadding(axis.mode, axis.length, axis.kernel, axis.stride),
    );
    attributes['pads'] = [...pads.map((pad) => pad.before), ...pads.map((pad) => pad.after)];
  }
  const slid = graph.node(layer.op, [inForm(graph, value, form), ...layer.constants], attributes);
  // Frames and planes are slid over one by one, so nothing is left over.
  const before = { tensor: inForm(graph, value, form), axis: 2 };
  const tensor = hasSurplusSteps({ kernel, padding })
    ? cutSurplusSteps(graph, { tensor: slid, axis: 2 }, before, { kernel, stride })
    : slid;
  return activation(form, tensor, {
    channels: layer.channels,
    height: axisPadding(byAxis.h.mode, value.height, kh, sh).out,
    width: axisPadding(byAxis.w.mode, value.width, kw, sw).out,
  });
}

/**
 * Every `stride`-th step, from the first: what a kernel of one step and that stride sees under
 * either padding.
 */
export function strideSteps(graph: GraphWriter, value: Activation, stride: number): Activation {
  return stride === 1 ? value : sliceSteps(graph, value, { from: 0, stride });
}

/** All but the first `count` steps. */
export function skipSteps(graph: GraphWriter, value: Activation, count: number): Activation {
  return count === 0 ? value : sliceSteps(graph, value, { from: count, stride: 1 });
}

function sliceSteps(
  graph: GraphWriter,
  value: Activation,
  { from, stride }: { readonly from: number; readonly stride: number },
): Activation {
  const slice = (tensor: string, axis: number): string =>
    graph.node('Slice', [
      tensor,
      graph.ints([from]),
      graph.ints([Number.MAX_SAFE_INTEGER]),
      graph.ints([axis]),
      graph.ints([stride]),
    ]);
  const frames = value.forms.get('frames');
  return frames === undefined
    ? activation('steps', slice(inForm(graph, value, 'steps'), 2), value)
    : activation('frames', onSteps(graph, frames, value, slice), value);
}

/** Applies `change` to the steps, axis 1, of [n·t, c, h, w]: to each clip's for itself. */
export function onSteps(
  graph: GraphWriter,
  frames: string,
  { channels, height, width }: Size,
  change: (tensor: string, axis: number) => string,
): string {
  if (!graph.batched) return change(frames, 0);
  const changed = change(graph.reshape(frames, [CLIPS, -1, channels * height * width]), 1);
  return graph.reshape(changed, [-1, channels, height, width]);
}

/** Attributes of a window over [t, h·w] that moves in time alone. */
export function timeWindow({
  kernel,
  padding,
}: Pick<Window, 'kernel' | 'padding'>): Record<string, OnnxAttribute> {
  if (padding === 'same') return { auto_pad: 'SAME_UPPER' };
  const { before, after } = timePadding(axisMode(padding, 0), kernel[0]);
  return { pads: [before, 0, after, 0] };
}

/**
 * Symmetric padding for a length of at least one: an odd kernel always fits, an even one is padded
 * up to itself.
 */
export function timePadding(mode: AxisMode, kernel: number): { before: number; after: number } {
  if (typeof mode === 'object') return mode;
  const before = typeof mode === 'number' ? mode : Math.floor((kernel - 1) / 2);
  return { before, after: kernel - 1 - before };
}

/** Whether a window over time, padded by `timePadding`, finds more steps than symmetric padding gives. */
export function hasSurplusSteps({ kernel, padding }: Pick<Window, 'kernel' | 'padding'>): boolean {
  return padding === 'symmetric' && kernel[0] % 2 === 0;
}

/** A tensor and the axis on which its time steps lie. */
interface Timed {
  readonly tensor: string;
  readonly axis: number;
}

/** Keeps the first max(1, ⌊(n + 2·side − k) / s⌋ + 1) steps, n the length before the window slid. */
export function cutSurplusSteps(
  graph: GraphWriter,
  slid: Timed,
  before: Timed,
  { kernel: [kernel], stride: [stride] }: Pick<Window, 'kernel' | 'stride'>,
): string {
  const side = Math.floor((kernel - 1) / 2);
  const length = graph.node('Shape', [before.tensor], { start: before.axis, end: before.axis + 1 });
  // Integer division rounds towards zero, so the sum under it is kept positive: n + s ≥ k.
  const room = graph.node('Add', [length, graph.ints([2 * side - kernel + stride])]);
  const steps = graph.node('Div', [room, graph.ints([stride])]);
  const kept = graph.node('Max', [steps, graph.ints([1])]);
  return graph.node('Slice', [slid.tensor, graph.ints([0]), kept, graph.ints([slid.axis]), graph.ints([1])]);
}
