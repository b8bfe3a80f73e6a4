import type { ConvNode, InputEncoding, Network } from '../../../network/graph.ts';
import { axisMode, axisPadding } from '../../../network/padding.ts';
import { CLIPS, type GraphWriter } from '../graph-writer.ts';
import type { EncodedInput } from '../input-encoding.ts';
import { blocked, BLOCKED_DOMAIN, type BlockedActivation } from './blocked-activation.ts';
import type { BlockedContext } from './blocked-context.ts';
import type { Folded } from './folded.ts';
import { blockBias, blockFilter } from './blocked-filter.ts';

/**
 * The stem of a separable network as one convolution over one tall frame: the frames of a clip
 * stand one below the other, with rows of zeros between them that serve as padding below one and
 * above the next. Its output is in `steps` order at once, as the temporal convolution after it
 * wants; frame by frame it would be in `frames` order, and turning the largest activation of the
 * network costs 3 % of a clip. What falls between the frames are spare rows.
 */
export interface StackedInput {
  /** float32 [n, 3, t·(h + gap), w] */
  readonly tall: string;
  readonly height: number;
  readonly width: number;
  readonly gap: number;
}

/**
 * Rows between the frames; undefined where the stem is not followed by a temporal convolution
 * alone, or cannot be stacked.
 */
export function stemGap({ nodes, options }: Network): number | undefined {
  const stem = nodes.find((node) => node.op === 'conv');
  if (!stem || options.input.kind !== 'rgb') return undefined;
  const [kt, kernel] = stem.kernel;
  const [st, stride] = stem.stride;
  const readers = nodes.filter((node) => 'input' in node && node.input === stem.name);
  const temporal = readers.every(
    (node) => node.op === 'conv' && node.kernel[1] === 1 && node.kernel[2] === 1,
  );
  if (kt > 1 || st > 1 || !temporal || readers.some((node) => node.op === 'conv' && node.kernel[0] === 1))
    return undefined;
  const { before, out } = axisPadding(axisMode(stem.padding, 1), options.height, kernel, stride);
  const below = (out - 1) * stride + kernel - before - options.height;
  const least = Math.max(before, below);
  const gap = least + ((stride - ((options.height + least) % stride)) % stride);
  return kernel - stride - before < 0 ? undefined : gap;
}

/** uint8 [n·t, h, w, 3] → what the stem sees, zero between the frames. */
export function stackInput(
  graph: GraphWriter,
  pixels: string,
  { mean, std }: Extract<InputEncoding, { kind: 'rgb' }>,
  { height, width, gap }: Omit<StackedInput, 'tall'>,
): EncodedInput<StackedInput> {
  const padded = graph.node('Pad', [pixels, graph.ints([0, 0, 0, 0, 0, gap, 0, 0])]);
  const plane = height * width;
  const rows = plane + gap * width;
  const clips = graph.reshape(padded, [CLIPS, -1, rows, 3]);
  const planes = graph.node('Transpose', [clips], { perm: [0, 3, 1, 2] });
  const rgb = graph.node('Cast', [planes], { to: 1 });
  const means = new Float32Array(3 * rows);
  mean.forEach((m, channel) => means.fill(255 * m, channel * rows, channel * rows + plane));
  const centred = graph.node('Sub', [rgb, graph.floats(means, [3, 1, rows])]);
  const tall = graph.reshape(centred, [CLIPS, 3, -1, width]);
  return { value: { tall, height, width, gap }, scale: std.map((s) => 1 / (255 * s)) };
}

export function writeStackedStem(
  { graph, size }: BlockedContext,
  node: ConvNode,
  { tall, height, width, gap }: StackedInput,
  { weight, bias }: Folded,
): BlockedActivation {
  const [, kh, kw] = node.kernel;
  const [, sh, sw] = node.stride;
  const vertical = axisPadding(axisMode(node.padding, 1), height, kh, sh);
  const horizontal = axisPadding(axisMode(node.padding, 2), width, kw, sw);
  const rows = (height + gap) / sh;
  const filter = blockFilter(weight, { outputs: node.outChannels, inputRuns: [3], size, isPlain: true });
  const padded = blockBias(bias, size);
  const convolved = graph.node(
    'Conv',
    [tall, graph.floats(filter.data, [...filter.channels, kh, kw]), graph.floats(padded, [padded.length])],
    {
      kernel_shape: [kh, kw],
      strides: [sh, sw],
      pads: [vertical.before, horizontal.before, kh - sh - vertical.before, horizontal.after],
      activation: 'Relu',
    },
    BLOCKED_DOMAIN,
  );
  const steps = graph.reshape(convolved, [CLIPS, filter.channels[0], -1, rows * horizontal.out]);
  return blocked('steps', steps, {
    runs: [node.outChannels],
    height: vertical.out,
    width: horizontal.out,
    spareRows: rows - vertical.out,
  });
}
