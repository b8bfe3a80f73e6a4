import type { ConcatNode, ConvNode, GateNode, MaxPoolNode } from '../../network/graph.ts';
import { convNames, gateNames } from '../../network/weight-shapes.ts';
import { foldBatchNorm } from '../../weights/fold-batch-norm.ts';
import { writeInput } from './input-encoding.ts';
import { CLIPS } from './graph-writer.ts';
import type { LayerContext, LayerWriters, Rows } from './layer-writers.ts';
import { writeRasterMeans } from './raster-means.ts';
import { activation, byStep, inForm, isChannelFirst, type Activation, type Form } from './layouts.ts';
import { batchNormOf, tensorOf } from '../../weights/tensor-of.ts';
import { repeatEdges, withoutTimePadding } from './edge-steps.ts';
import { skipSteps, slideWindow, strideSteps, type Window } from './windowed.ts';

/** Layers in memory that every operator reads, over the forms of layouts.ts. */
export function plainLayers(context: LayerContext): LayerWriters<Activation> {
  const { graph } = context;
  return {
    input: (pixels, node, { options }) => writeInput(graph, pixels, node, options),
    conv: (node, input, inputScale) => writeConv(context, node, input, inputScale),
    maxPool: (node, input) => writeMaxPool(context, node, input),
    gate: (node, input) => writeGate(context, node, input),
    concat: (node, inputs) => writeConcat(context, node, inputs),
    toPlain: (value) => value,
    rasterMeans: (value, grid) => writeRasterMeans(graph, value, grid),
    toRows: (value) => toRows(graph, value),
    rowSize,
    fromRows: (rows, { channels, height, width }) => {
      const frames = graph.reshape(rows, [-1, channels, height, width]);
      return activation('frames', frames, { channels, height, width });
    },
  };
}

function toRows(graph: LayerContext['graph'], value: Activation): Rows {
  const { channels, height, width, forms } = value;
  const frames = forms.get('frames');
  return frames === undefined
    ? { tensor: byStep(graph, value), shape: ['clips', 'steps', channels, height * width] }
    : { tensor: frames, shape: ['steps', channels, height, width] };
}

function rowSize({ channels, height, width }: Activation): number {
  return channels * height * width;
}

/** Convolution with its batch norm folded in, then ReLU, in the form that runs fastest for its kernel. */
function writeConv(
  { graph, weights }: LayerContext,
  node: ConvNode,
  input: Activation,
  inputScale?: readonly number[],
): Activation {
  const [kt, kh, kw] = node.kernel;
  const names = convNames(node);
  const { weight, bias } = foldBatchNorm(
    tensorOf(weights, names.weight),
    batchNormOf(weights, names.batchNorm, node.batchNormEpsilon),
    inputScale ? { inputScale } : {},
  );
  const form = convForm(node, input);
  const kernelShape = { frames: [kh, kw], planes: [kh, kw], steps: [kt, 1], volume: [kt, kh, kw] }[form];
  const constants = [
    graph.floats(weight, [node.outChannels, node.inChannels, ...kernelShape]),
    graph.floats(bias, [node.outChannels]),
  ];
  const strided = kt === 1 ? strideSteps(graph, input, node.stride[0]) : input;
  const [value, window] = node.repeatsEdges ? edged(graph, strided, form, node) : [strided, node];
  const out = slideWindow(graph, value, form, window, {
    op: 'Conv',
    constants,
    channels: node.outChannels,
  });
  return activation(form, graph.node('Relu', [inForm(graph, out, form)]), out);
}

/** The activation with its edges repeated, and the window that then slides over it. */
function edged(
  graph: LayerContext['graph'],
  input: Activation,
  form: Form,
  node: ConvNode,
): [Activation, Window] {
  const longer = repeatEdges(graph, inForm(graph, input, form), 2, node);
  return [activation(form, longer, input), { ...node, padding: withoutTimePadding(node) }];
}

/** A pool over space only slides over planes; one over time too is split, as a maximum of maxima. */
function writeMaxPool({ graph }: LayerContext, node: MaxPoolNode, input: Activation): Activation {
  const { padding } = node;
  const [kt, kh, kw] = node.kernel;
  const [st, sh, sw] = node.stride;
  const pool = (
    value: Activation,
    form: Form,
    kernel: typeof node.kernel,
    stride: typeof node.stride,
  ): Activation =>
    slideWindow(
      graph,
      value,
      form,
      { kernel, stride, padding },
      {
        op: 'MaxPool',
        constants: [],
        channels: value.channels,
      },
    );
  if (kt === 1) {
    const form = isChannelFirst(input) ? 'planes' : 'frames';
    return pool(strideSteps(graph, input, st), form, node.kernel, node.stride);
  }
  const inTime = pool(input, 'steps', [kt, 1, 1], [st, 1, 1]);
  return pool(inTime, 'planes', [1, kh, kw], [1, sh, sw]);
}

/** Self-gating: the mean over t, h, w through a fully connected layer and a sigmoid scales each channel. */
function writeGate({ graph, weights, shares }: LayerContext, node: GateNode, input: Activation): Activation {
  const names = gateNames(node);
  const steps = inForm(graph, input, 'steps');
  const { channels } = node;
  const constants = [graph.floats(tensorOf(weights, names.weight).data, [channels, channels, 1, 1])];
  if (names.bias !== undefined) {
    constants.push(graph.floats(tensorOf(weights, names.bias).data, [channels]));
  }
  const share = shares?.(node.name);
  const mean =
    share === undefined
      ? graph.node('GlobalAveragePool', [steps])
      : weightedMean(graph, steps, channels, share);
  const logits = graph.node('Conv', [mean, ...constants], { kernel_shape: [1, 1] });
  return activation('steps', graph.node('Mul', [steps, graph.node('Sigmoid', [logits])]), input);
}

/** [n, c, t, h·w] and the share [n, t] of each step → [n, c, 1, 1] */
function weightedMean(graph: LayerContext['graph'], steps: string, channels: number, share: string): string {
  const perStep = graph.node('ReduceMean', [steps, graph.ints([3])], { keepdims: 0 });
  const weights = graph.reshape(share, [CLIPS, 1, -1]);
  const weighted = graph.node('Mul', [perStep, weights]);
  const mean = graph.node('ReduceSum', [weighted, graph.ints([2])], { keepdims: 0 });
  return graph.reshape(mean, [CLIPS, channels, 1, 1]);
}

function writeConcat(
  { graph }: LayerContext,
  { skips }: Pick<ConcatNode, 'skips'>,
  branches: readonly Activation[],
): Activation {
  const inputs = branches.map((branch, index) => skipSteps(graph, branch, skips?.[index] ?? 0));
  const [first] = inputs;
  if (!first) throw new RangeError('a concatenation needs inputs');
  const form: Form = inputs.every((input) => input.forms.has('frames')) ? 'frames' : 'steps';
  const tensors = inputs.map((input) => inForm(graph, input, form));
  const channels = inputs.reduce((sum, input) => sum + input.channels, 0);
  return activation(form, graph.node('Concat', tensors, { axis: 1 }), { ...first, channels });
}

function convForm({ kernel, stride }: ConvNode, input: Activation): Form {
  const [kt, kh, kw] = kernel;
  const spatial = kh > 1 || kw > 1 || stride[1] > 1 || stride[2] > 1;
  if (!spatial) return kt > 1 || isChannelFirst(input) ? 'steps' : 'frames';
  return kt === 1 ? 'frames' : 'volume';
}
