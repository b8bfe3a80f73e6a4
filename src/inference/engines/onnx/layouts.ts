import { CLIPS, type Dimension, type GraphWriter } from './graph-writer.ts';

/**
 * One activation of n clips (mostly one) and the forms in which the graph already holds it. Two
 * memory orders exist: time first (`frames`), which a spatial convolution wants, and channel first,
 * in three shapes that Reshape turns into one another for free: a temporal convolution is a (k, 1)
 * Conv2d over `steps`. Only frames ↔ channel first costs a Transpose.
 */
export interface Activation {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Tensor names; grows as forms are asked for. */
  readonly forms: Map<Form, string>;
}

export type Form =
  /** [n·t, c, h, w] */
  | 'frames'
  /** [n, c·t, h, w]: for what looks at one channel at a time. */
  | 'planes'
  /** [n, c, t, h, w] */
  | 'volume'
  /** [n, c, t, h·w]: the form in which activations mostly live. */
  | 'steps';

export type Size = Pick<Activation, 'channels' | 'height' | 'width'>;

export function activation(form: Form, tensor: string, size: Size): Activation {
  return { ...size, forms: new Map([[form, tensor]]) };
}

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

/** [n, t, c, h·w]: the memory of `frames`, made of what is held channel first. */
export function byStep(graph: GraphWriter, value: Activation): string {
  return graph.node('Transpose', [inForm(graph, value, 'steps')], { perm: [0, 2, 1, 3] });
}

function toFrames(graph: GraphWriter, value: Activation): string {
  const { channels, height, width } = value;
  return graph.reshape(byStep(graph, value), [-1, channels, height, width]);
}

function toChannelFirst(graph: GraphWriter, value: Activation, form: Exclude<Form, 'frames'>): string {
  const held = value.forms.get('steps') ?? value.forms.get('planes') ?? value.forms.get('volume');
  if (held !== undefined) return graph.reshape(held, shapeOf(value, form));
  const { channels, height, width } = value;
  const frames = graph.reshape(inForm(graph, value, 'frames'), [CLIPS, -1, channels, height * width]);
  const steps = graph.node('Transpose', [frames], { perm: [0, 2, 1, 3] });
  value.forms.set('steps', steps);
  return form === 'steps' ? steps : toChannelFirst(graph, value, form);
}

function shapeOf({ channels, height, width }: Size, form: Exclude<Form, 'frames'>): readonly Dimension[] {
  switch (form) {
    case 'planes':
      return [CLIPS, -1, height, width];
    case 'volume':
      return [CLIPS, channels, -1, height, width];
    case 'steps':
      return [CLIPS, channels, -1, height * width];
  }
}
