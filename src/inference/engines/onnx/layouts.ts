import type { GraphWriter } from './graph-writer.ts';

/**
 * One activation of the network and the forms in which the graph already holds it. Two memory orders exist: time first
 * (`frames`), which a spatial convolution wants, and channel first, in three shapes that Reshape turns into one another for
 * free: a temporal convolution is a (k, 1) Conv2d over `steps`. Only frames ↔ channel first costs a Transpose.
 */
export interface Activation {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Tensor names; grows as forms are asked for. */
  readonly forms: Map<Form, string>;
}

export type Form =
  /** [t, c, h, w] */
  | 'frames'
  /** [c, t, h, w] */
  | 'planes'
  /** [1, c, t, h, w] */
  | 'volume'
  /** [1, c, t, h·w]: the form in which activations mostly live. */
  | 'steps';

export type Size = Pick<Activation, 'channels' | 'height' | 'width'>;

export function activation(form: Form, tensor: string, size: Size): Activation {
  return { ...size, forms: new Map([[form, tensor]]) };
}

/** Position of the time axis. */
export const TIME_AXIS = { frames: 0, planes: 1, volume: 2, steps: 2 } as const satisfies Record<
  Form,
  number
>;

/** Name of the activation in a form, converting it at most once. */
export function inForm(graph: GraphWriter, value: Activation, form: Form): string {
  const known = value.forms.get(form);
  if (known !== undefined) return known;
  const tensor = form === 'frames' ? toFrames(graph, value) : toChannelFirst(graph, value, form);
  value.forms.set(form, tensor);
  return tensor;
}

/** True where the activation is held channel first in any shape. */
export function isChannelFirst(value: Activation): boolean {
  return value.forms.has('steps') || value.forms.has('planes') || value.forms.has('volume');
}

function toFrames(graph: GraphWriter, value: Activation): string {
  return graph.node('Transpose', [inForm(graph, value, 'planes')], { perm: [1, 0, 2, 3] });
}

function toChannelFirst(graph: GraphWriter, value: Activation, form: Exclude<Form, 'frames'>): string {
  const held = value.forms.get('steps') ?? value.forms.get('planes') ?? value.forms.get('volume');
  if (held !== undefined) return graph.node('Reshape', [held, graph.ints(shapeOf(value, form))]);
  const planes = graph.node('Transpose', [inForm(graph, value, 'frames')], { perm: [1, 0, 2, 3] });
  value.forms.set('planes', planes);
  return form === 'planes' ? planes : toChannelFirst(graph, value, form);
}

function shapeOf({ channels, height, width }: Size, form: Exclude<Form, 'frames'>): readonly number[] {
  switch (form) {
    case 'planes':
      return [channels, -1, height, width];
    case 'volume':
      return [1, channels, -1, height, width];
    case 'steps':
      return [1, channels, -1, height * width];
  }
}
