import type { ConvNode, GateNode, Network, NetworkNode, NetworkOptions, Padding } from './graph.ts';
import { STAGES, type MixedChannels, type Stage, type StageName, type Triple } from './stages.ts';
import { parseVariant, type TemporalForm, type Variant } from './variants.ts';

/** torchvision's preset for its S3D: also used for networks trained here. */
const KINETICS_RGB = {
  kind: 'rgb',
  mean: [0.43216, 0.394666, 0.37645],
  std: [0.22803, 0.22145, 0.216989],
} as const;

export const DEFAULT_NETWORK_OPTIONS: NetworkOptions = {
  variant: 's3d-g',
  frames: 64,
  height: 224,
  width: 224,
  classes: 400,
  widthMultiplier: 1,
  input: KINETICS_RGB,
  padding: 'symmetric',
  batchNormEpsilon: 1e-3,
  gateBias: true,
  gateConv2c: true,
  stem: 'separable',
  pooling: 'window',
  classifier: true,
};

/**
 * The node list of a family member. Options left out take DEFAULT_NETWORK_OPTIONS.
 * @throws ActionstreamError NETWORK_UNKNOWN
 */
export function buildNetwork(partial: Partial<NetworkOptions> = {}): Network {
  const options = { ...DEFAULT_NETWORK_OPTIONS, ...partial };
  const variant = parseVariant(options.variant);
  const builder = createBuilder(options, variant);
  let head: Feature = { name: 'input', channels: 3 };
  builder.nodes.push({ op: 'input', name: 'input', stage: 'input', encoding: options.input });
  for (const stage of STAGES) {
    head = builder.stage(stage, head);
    if (options.sgs?.after === stage.name) head = builder.sgs(head);
  }
  const classes = options.classifier ? options.classes : head.channels;
  builder.nodes.push({
    op: 'head',
    name: 'Head',
    stage: 'Head',
    input: head.name,
    inChannels: head.channels,
    classes,
    pooling: options.pooling,
    classifier: options.classifier,
  });
  return { name: variant.name, options: { ...options, classes }, nodes: builder.nodes, output: 'Head' };
}

/** A node's output, as the next node needs to know it. */
interface Feature {
  readonly name: string;
  readonly channels: number;
}

/**
 * Stems of separable networks that are one convolution all the same; padding as the network's where
 * none stands.
 */
const WHOLE_STEMS: Readonly<
  Record<NetworkOptions['stem'], { readonly kernel: Triple; readonly padding?: Padding } | undefined>
> = {
  separable: undefined,
  flat: { kernel: [1, 7, 7] },
  dense: { kernel: [3, 7, 7] },
  dense_5: { kernel: [5, 7, 7] },
  dense_7: { kernel: [7, 7, 7] },
  // Over blocks of two: two blocks from the output's own on in time, four from the one before it on in space.
  space_to_depth: { kernel: [4, 8, 8], padding: [0, 2, 2] },
};

function poolPadding({ padding, poolPadding: own }: NetworkOptions, kernel: Triple, stride: Triple): Padding {
  if (own !== 'same_even') return own ?? padding;
  const front = (axis: 0 | 1 | 2): number => Math.floor(Math.max(kernel[axis] - stride[axis], 0) / 2);
  return [front(0), front(1), front(2)];
}

function createBuilder(options: NetworkOptions, variant: Variant) {
  const nodes: NetworkNode[] = [];
  const scaled = (channels: number): number => Math.max(1, Math.round(channels * options.widthMultiplier));

  const repeatsEdges = ([kt]: Triple): boolean =>
    kt > 1 && options.temporalEdge === 'edge' && nodes.some(({ op }) => op === 'sgs');

  const conv = (
    stage: StageName,
    name: string,
    input: Feature,
    outChannels: number,
    kernel: Triple,
    stride: Triple,
    padding: Padding = options.padding,
  ): Feature => {
    const node: ConvNode = {
      op: 'conv',
      name,
      stage,
      input: input.name,
      inChannels: input.channels,
      outChannels,
      kernel,
      stride,
      padding,
      ...(repeatsEdges(kernel) && { repeatsEdges: true }),
      batchNormEpsilon: options.batchNormEpsilon,
    };
    nodes.push(node);
    return { name, channels: outChannels };
  };

  const maxPool = (
    stage: StageName,
    name: string,
    input: Feature,
    kernel: Triple,
    stride: Triple,
  ): Feature => {
    const padding = poolPadding(options, kernel, stride);
    nodes.push({ op: 'max_pool', name, stage, input: input.name, kernel, stride, padding });
    return { name, channels: input.channels };
  };

  const gate = (stage: StageName, name: string, input: Feature): Feature => {
    if (!variant.gating) return input;
    const node: GateNode = {
      op: 'gate',
      name,
      stage,
      input: input.name,
      channels: input.channels,
      bias: options.gateBias,
    };
    nodes.push(node);
    return { name, channels: input.channels };
  };

  /** A k×k×k convolution in the form that the variant gives this stage. */
  const temporalConv = (
    stage: StageName,
    name: string,
    input: Feature,
    channels: number,
    kernel: Triple,
    stride: Triple,
    form: TemporalForm,
  ): Feature => {
    const [kt, kh, kw] = kernel;
    const [st, sh, sw] = stride;
    if (kt === 1 || form === 'dense') return conv(stage, name, input, channels, kernel, stride);
    if (form === 'flat') return conv(stage, name, input, channels, [1, kh, kw], stride);
    const spatial = conv(stage, `${name}.spatial`, input, channels, [1, kh, kw], [1, sh, sw]);
    return conv(stage, `${name}.temporal`, spatial, channels, [kt, 1, 1], [st, 1, 1]);
  };

  const mixed = (stage: StageName, channels: MixedChannels, input: Feature): Feature => {
    const form = variant.form(stage);
    const unit: Triple = [1, 1, 1];
    const cube: Triple = [3, 3, 3];
    const pointwise = (name: string, from: Feature, out: number): Feature => {
      const spatial = conv(stage, name, from, scaled(out), unit, unit);
      const extra = variant.fourBranch && form === 'separable';
      return extra ? conv(stage, `${name}.temporal`, spatial, scaled(out), [3, 1, 1], unit) : spatial;
    };
    const reduced = (name: string, [reduce, out]: readonly [number, number]): Feature => {
      const narrow = conv(stage, `${name}.reduce`, input, scaled(reduce), unit, unit);
      return temporalConv(stage, name, narrow, scaled(out), cube, unit, form);
    };
    const b0 = gate(stage, `${stage}.b0.gate`, pointwise(`${stage}.b0`, input, channels.b0));
    const b1 = gate(stage, `${stage}.b1.gate`, reduced(`${stage}.b1`, channels.b1));
    const b2 = gate(stage, `${stage}.b2.gate`, reduced(`${stage}.b2`, channels.b2));
    const pooled = maxPool(stage, `${stage}.b3.pool`, input, cube, unit);
    const b3 = gate(stage, `${stage}.b3.gate`, pointwise(`${stage}.b3`, pooled, channels.b3));
    const branches = [b0, b1, b2, b3];
    nodes.push({ op: 'concat', name: stage, stage, inputs: branches.map((branch) => branch.name) });
    return { name: stage, channels: branches.reduce((sum, branch) => sum + branch.channels, 0) };
  };

  const stageOf = (stage: Stage & { name: StageName }, input: Feature): Feature => {
    switch (stage.op) {
      case 'conv': {
        const form = variant.form(stage.name);
        const { name, kernel, stride } = stage;
        const channels = scaled(stage.channels);
        const whole = name === 'Conv_1a' && form === 'separable' ? WHOLE_STEMS[options.stem] : undefined;
        const out = whole
          ? conv(name, name, input, channels, whole.kernel, stride, whole.padding)
          : temporalConv(name, name, input, channels, kernel, stride, form);
        return name === 'Conv_2c' && options.gateConv2c ? gate(name, 'Conv_2c.gate', out) : out;
      }
      case 'max_pool':
        return maxPool(stage.name, stage.name, input, stage.kernel, stage.stride);
      case 'mixed':
        return mixed(stage.name, stage.channels, input);
    }
  };

  const sgs = (input: Feature): Feature => {
    nodes.push({
      op: 'sgs',
      name: 'SGS',
      stage: 'SGS',
      input: input.name,
      channels: input.channels,
      embedding: options.sgs!.embedding,
      boundary: options.sgs!.boundary,
      batchNormEpsilon: 1e-5,
    });
    return { name: 'SGS', channels: input.channels };
  };

  return { nodes, stage: stageOf, sgs };
}
