import type { ModelSettings, SamplerSettings } from '../config/index.ts';
import type { DeviceChoice } from '../inference/engine-choice.ts';
import type { NetworkOptions, SgsOptions } from '../inference/network/graph.ts';
import { parseSimilarity, POOLED, settleSgs, type Similarity } from '../inference/network/similarity.ts';
import { parseStageName } from '../inference/network/variants.ts';
import { parseSamplerOptions, type SamplerOptions } from '../sampler/index.ts';

/** What chooses and shapes a network: flags of the command line and keys of the configuration alike. */
export type NetworkFlags = Omit<ModelSettings, 'model' | 'untrained' | 'seed'>;

/** What chooses a sampler and where it sits. */
export type SamplerFlags = Omit<SamplerSettings, 'sampler'> & { readonly sampler?: string };

/** Only the options that were given, so that a model's own or the defaults stand for the rest. */
export function networkOverrides(flags: NetworkFlags): Partial<NetworkOptions> {
  return {
    ...(flags.frames !== undefined && { frames: flags.frames }),
    ...(flags.size !== undefined && { height: flags.size, width: flags.size }),
    ...(flags.classes !== undefined && { classes: flags.classes }),
    ...(flags.width !== undefined && { widthMultiplier: flags.width }),
    ...(flags.padding !== undefined && { padding: flags.padding }),
    ...(flags.stem !== undefined && { stem: flags.stem }),
    ...(flags.input === 'motion' && { input: { kind: 'motion' } as const }),
    ...(flags.gateBias === false && { gateBias: false }),
  };
}

/** Kept steps that see themselves at the edges also weigh as many steps as they stand for, unless a flag says otherwise. */
export function arithmeticOverrides({
  temporalEdge,
  timeMeans,
}: SamplerFlags): Pick<NetworkOptions, 'temporalEdge' | 'timeMeans'> {
  const follows = temporalEdge && ({ edge: 'multiplicity', zero: 'plain' } as const)[temporalEdge];
  const means = timeMeans ?? follows;
  return {
    ...(temporalEdge !== undefined && { temporalEdge }),
    ...(means !== undefined && { timeMeans: means }),
  };
}

/**
 * Where SGS sits, if a flag says so. A sampler that samples needs a place, and so does what is said of the network above it: Conv_2b
 * where none is named. Pooled embeddings need no weights; the published arithmetic is kept as it is.
 */
export function sgsOverride(flags: SamplerFlags): Partial<Pick<NetworkOptions, 'sgs'>> {
  const samples = flags.sampler !== undefined && flags.sampler !== 'none';
  const shapes = flags.similarity !== undefined || flags.temporalEdge === 'edge';
  if (flags.sgsAfter === undefined && !samples && !shapes) return {};
  const after = parseStageName(flags.sgsAfter ?? 'Conv_2b');
  const learned = flags.sgsSize !== undefined && ({ kind: 'learned', size: flags.sgsSize } as const);
  const boundary = flags.sampler === 'reference' ? 'as_is' : 'nearest_complete';
  return { sgs: { after, embedding: learned || POOLED, boundary } };
}

/** The SGS layer that a network of these options has under the flags. */
export function settledSgs(
  own: Partial<NetworkOptions>,
  flags: SamplerFlags,
): Partial<Pick<NetworkOptions, 'sgs'>> {
  const { sgs: fallback } = sgsOverride(flags);
  const forced = isForced(flags) ? fallback : undefined;
  const sgs = settleSgs(own.sgs, { forced, fallback, similarity: similarityOf(flags) });
  return sgs ? { sgs } : {};
}

function isForced({ sgsAfter, sgsSize }: SamplerFlags): boolean {
  return sgsAfter !== undefined || sgsSize !== undefined;
}

function similarityOf({ similarity }: SamplerFlags): Similarity | undefined {
  return similarity === undefined ? undefined : parseSimilarity(similarity);
}

/** What computes a network, and where. */
export interface EngineFlags extends DeviceChoice {
  /** Default: onnx. */
  readonly engine?: string;
  readonly threads?: number;
  /** Clips of a stream share work where the network allows it. Default: true. */
  readonly reuse?: boolean;
  /** See EngineSettings. Default: 0. */
  readonly repeatThreshold?: number;
}

/** Which model to open and how; the composition root turns it into an engine. */
export interface ModelChoice extends EngineFlags {
  /** A path to a trained model, or a network name for random weights. */
  readonly model: string;
  readonly seed: number;
  readonly engine: string;
  /** Differences from the model's own network: only what flags or the input demand. */
  readonly network: Partial<NetworkOptions>;
  /** Where SGS is to sit if the model has none of its own, or a flag moves it. */
  readonly sgs?: SgsOptions;
  /** True where a flag names the place or the embedding, so that the model's own SGS gives way. */
  readonly sgsForced: boolean;
  /** By what steps are to be compared in place of the embedding of either. */
  readonly similarity?: Similarity;
}

export function modelChoice(
  flags: NetworkFlags & SamplerFlags & EngineFlags & { readonly model: string; readonly seed: number },
  input?: { readonly frames: number; readonly height: number; readonly width: number },
): ModelChoice {
  const { model, seed, engine = 'onnx', threads, reuse, repeatThreshold, provider, withoutGpu } = flags;
  const similarity = similarityOf(flags);
  const size = input && { frames: input.frames, height: input.height, width: input.width };
  return {
    model,
    seed,
    engine,
    network: { ...networkOverrides(flags), ...arithmeticOverrides(flags), ...size },
    ...sgsOverride(flags),
    sgsForced: isForced(flags),
    ...(similarity !== undefined && { similarity }),
    ...(threads !== undefined && { threads }),
    ...(reuse !== undefined && { reuse }),
    ...(repeatThreshold !== undefined && { repeatThreshold }),
    ...(provider !== undefined && { provider }),
    ...(withoutGpu !== undefined && { withoutGpu }),
  };
}

/** The sampler that the flags name; `fallback` (the model's own) gives what they leave out. */
export function samplerFromFlags(
  flags: SamplerFlags,
  fallback: SamplerOptions = { kind: 'none' },
): SamplerOptions {
  const kind = flags.sampler ?? fallback.kind;
  const given = {
    kind,
    width: flags.delta,
    noiseFloor: flags.noiseFloor,
    anchor: flags.anchor,
    representative: flags.representative,
    minSteps: flags.minSteps,
    stride: flags.stride,
    bins: flags.bins,
    kernel: flags.kernel,
    distance: flags.distance?.toLowerCase(),
  };
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return parseSamplerOptions(kind === fallback.kind ? { ...fallback, ...defined } : defined);
}
