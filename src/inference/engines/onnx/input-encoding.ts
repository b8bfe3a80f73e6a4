import type { InputNode } from '../../network/graph.ts';
import type { GraphWriter } from './graph-writer.ts';
import { activation, type Activation } from './layouts.ts';
import { onSteps, skipSteps } from './windowed.ts';

export interface EncodedInput<V> {
  readonly value: V;
  /** Scale of each channel, left for the first convolution's weights to carry. */
  readonly scale: readonly number[];
}

/** uint8 [n·t, h, w, 3] → what the first convolution sees, zero where padding stands, up to `scale`. */
export function writeInput(
  graph: GraphWriter,
  pixels: string,
  { encoding, skip = 0 }: Pick<InputNode, 'encoding' | 'skip'>,
  size: { readonly height: number; readonly width: number },
): EncodedInput<Activation> {
  // Transposed as bytes: a quarter of the memory traffic.
  const bytes = graph.node('Transpose', [pixels], { perm: [0, 3, 1, 2] });
  const rgb = graph.node('Cast', [bytes], { to: 1 });
  const channels = 3;
  if (encoding.kind === 'rgb') {
    const mean = graph.floats(
      Float32Array.from(encoding.mean, (m) => 255 * m),
      [channels, 1, 1],
    );
    const value = activation('frames', graph.node('Sub', [rgb, mean]), { ...size, channels });
    return { value: skipSteps(graph, value, skip), scale: encoding.std.map((std) => 1 / (255 * std)) };
  }
  const motion = activation('frames', writeMotion(graph, rgb, size), { ...size, channels });
  return { value: skipSteps(graph, motion, skip), scale: [1, 1, 1] };
}

/** Grey level, its change since the step before, and how large that change is; each over 0.25. */
function writeMotion(
  graph: GraphWriter,
  rgb: string,
  size: { readonly height: number; readonly width: number },
): string {
  const luma = Float32Array.from([0.299, 0.587, 0.114], (part) => part / (255 * 0.25));
  const weight = graph.floats(luma, [1, 3, 1, 1]);
  const offset = graph.floats(Float32Array.of(-0.5 / 0.25), [1]);
  const grey = graph.node('Conv', [rgb, weight, offset], { kernel_shape: [1, 1] });
  const before = onSteps(graph, grey, { ...size, channels: 1 }, (steps, axis) => {
    const slice = (from: number, to: number): string =>
      graph.node('Slice', [steps, graph.ints([from]), graph.ints([to]), graph.ints([axis])]);
    return graph.node('Concat', [slice(0, 1), slice(0, -1)], { axis });
  });
  const change = graph.node('Sub', [grey, before]);
  return graph.node('Concat', [grey, change, graph.node('Abs', [change])], { axis: 1 });
}
