import type { ConvNode, Network, NetworkNode, NetworkOptions, Padding } from './graph.ts';
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
  const builder = new NetworkBuilder(options, variant);
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

/** Where a node stands. */
interface Place {
  readonly stage: StageName;
  readonly name: string;
}

interface ConvShape {
  readonly channels: number;
  readonly kernel: Triple;
  readonly stride: Triple;
  /** Default: the network's. */
  readonly padding?: Padding;
}

const UNIT: Triple = [1, 1, 1];
const CUBE: Triple = [3, 3, 3];

/** Appends nodes in the order in which they run; each method gives the output of what it appended. */
class NetworkBuilder {
  readonly nodes: NetworkNode[] = [];
  readonly #options: NetworkOptions;
  readonly #variant: Variant;

  constructor(options: NetworkOptions, variant: Variant) {
    this.#options = options;
    this.#variant = variant;
  }

  stage(stage: Stage & { name: StageName }, input: Feature): Feature {
    switch (stage.op) {
      case 'conv':
        return this.#convStage(stage, input);
      case 'max_pool':
        return this.#maxPool({ stage: stage.name, name: stage.name }, input, stage);
      case 'mixed':
        return this.#mixed(stage.name, stage.channels, input);
    }
  }

  sgs(input: Feature): Feature {
    this.nodes.push({
      op: 'sgs',
      name: 'SGS',
      stage: 'SGS',
      input: input.name,
      channels: input.channels,
      embedding: this.#options.sgs!.embedding,
      boundary: this.#options.sgs!.boundary,
      batchNormEpsilon: 1e-5,
    });
    return { name: 'SGS', channels: input.channels };
  }

  #convStage(stage: Extract<Stage, { op: 'conv' }> & { name: StageName }, input: Feature): Feature {
    const { name, kernel, stride } = stage;
    const form = this.#variant.form(name);
    const channels = this.#scaled(stage.channels);
    const place = { stage: name, name };
    const whole = name === 'Conv_1a' && form === 'separable' ? WHOLE_STEMS[this.#options.stem] : undefined;
    const out = whole
      ? this.#conv(place, input, { channels, stride, ...whole })
      : this.#temporalConv(place, input, { channels, kernel, stride }, form);
    return name === 'Conv_2c' && this.#options.gateConv2c ? this.#gate(place, out) : out;
  }

  /** Four branches side by side, as in Inception. */
  #mixed(stage: StageName, channels: MixedChannels, input: Feature): Feature {
    const form = this.#variant.form(stage);
    const place = (branch: string): Place => ({ stage, name: `${stage}.${branch}` });
    const pointwise = (branch: string, from: Feature, out: number): Feature => {
      const shape = { channels: this.#scaled(out), stride: UNIT };
      const spatial = this.#conv(place(branch), from, { ...shape, kernel: UNIT });
      const extra = this.#variant.fourBranch && form === 'separable';
      return extra
        ? this.#conv(place(`${branch}.temporal`), spatial, { ...shape, kernel: [3, 1, 1] })
        : spatial;
    };
    const reduced = (branch: string, [reduce, out]: readonly [number, number]): Feature => {
      const narrow = { channels: this.#scaled(reduce), kernel: UNIT, stride: UNIT };
      const wide = { channels: this.#scaled(out), kernel: CUBE, stride: UNIT };
      return this.#temporalConv(
        place(branch),
        this.#conv(place(`${branch}.reduce`), input, narrow),
        wide,
        form,
      );
    };
    const b0 = this.#gate(place('b0'), pointwise('b0', input, channels.b0));
    const b1 = this.#gate(place('b1'), reduced('b1', channels.b1));
    const b2 = this.#gate(place('b2'), reduced('b2', channels.b2));
    const pooled = this.#maxPool(place('b3.pool'), input, { kernel: CUBE, stride: UNIT });
    const b3 = this.#gate(place('b3'), pointwise('b3', pooled, channels.b3));
    const branches = [b0, b1, b2, b3];
    this.nodes.push({ op: 'concat', name: stage, stage, inputs: branches.map((branch) => branch.name) });
    return { name: stage, channels: branches.reduce((sum, branch) => sum + branch.channels, 0) };
  }

  /** A k×k×k convolution in the form that the variant gives its stage. */
  #temporalConv({ stage, name }: Place, input: Feature, shape: ConvShape, form: TemporalForm): Feature {
    const { channels, kernel, stride } = shape;
    const [kt, kh, kw] = kernel;
    const [st, sh, sw] = stride;
    if (kt === 1 || form === 'dense') return this.#conv({ stage, name }, input, shape);
    if (form === 'flat') return this.#conv({ stage, name }, input, { ...shape, kernel: [1, kh, kw] });
    const flat: ConvShape = { channels, kernel: [1, kh, kw], stride: [1, sh, sw] };
    const spatial = this.#conv({ stage, name: `${name}.spatial` }, input, flat);
    const long: ConvShape = { channels, kernel: [kt, 1, 1], stride: [st, 1, 1] };
    return this.#conv({ stage, name: `${name}.temporal` }, spatial, long);
  }

  #conv(place: Place, input: Feature, { channels, kernel, stride, padding }: ConvShape): Feature {
    const node: ConvNode = {
      op: 'conv',
      name: place.name,
      stage: place.stage,
      input: input.name,
      inChannels: input.channels,
      outChannels: channels,
      kernel,
      stride,
      padding: padding ?? this.#options.padding,
      ...(this.#repeatsEdges(kernel) && { repeatsEdges: true }),
      batchNormEpsilon: this.#options.batchNormEpsilon,
    };
    this.nodes.push(node);
    return { name: place.name, channels };
  }

  #maxPool(
    { stage, name }: Place,
    { name: input, channels }: Feature,
    { kernel, stride }: Pick<ConvShape, 'kernel' | 'stride'>,
  ): Feature {
    const padding = poolPadding(this.#options, kernel, stride);
    this.nodes.push({ op: 'max_pool', name, stage, input, kernel, stride, padding });
    return { name, channels };
  }

  /** The gate of a convolution, where the variant has gates. */
  #gate({ stage, name: gated }: Place, input: Feature): Feature {
    if (!this.#variant.gating) return input;
    const { channels } = input;
    const name = `${gated}.gate`;
    this.nodes.push({ op: 'gate', name, stage, input: input.name, channels, bias: this.#options.gateBias });
    return { name, channels };
  }

  #scaled(channels: number): number {
    return Math.max(1, Math.round(channels * this.#options.widthMultiplier));
  }

  /** Above the cut, where the network repeats edges in place of zeros. */
  #repeatsEdges([kt]: Triple): boolean {
    return kt > 1 && this.#options.temporalEdge === 'edge' && this.nodes.some(({ op }) => op === 'sgs');
  }
}
