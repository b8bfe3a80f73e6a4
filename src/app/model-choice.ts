import type { ModelSettings, SamplerSettings } from '../config/index.ts';
import type { DeviceChoice } from '../inference/engine-choice.ts';
import type { NetworkOptions, SgsOptions } from '../inference/network/graph.ts';
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

/**
 * Where SGS sits, if a flag says so. A sampler that samples needs a place: Conv_2b where none is named. Pooled
 * embeddings need no weights; the published arithmetic is kept as it is.
 */
export function sgsOverride(flags: SamplerFlags): Partial<Pick<NetworkOptions, 'sgs'>> {
  const samples = flags.sampler !== undefined && flags.sampler !== 'none';
  if (flags.sgsAfter === undefined && !samples) return {};
  const after = parseStageName(flags.sgsAfter ?? 'Conv_2b');
  const learned = flags.sgsSize !== undefined && ({ kind: 'learned', size: flags.sgsSize } as const);
  const embedding = learned || ({ kind: 'pooled', grid: POOLED_GRID } as const);
  const boundary = flags.sampler === 'reference' ? 'as_is' : 'nearest_complete';
  return { sgs: { after, embedding, boundary } };
}

/** 4×4 cells see a person at the edge of the picture; measured against 1×1 in ADR 0015. */
const POOLED_GRID = 4;

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
}

export function modelChoice(
  flags: NetworkFlags & SamplerFlags & EngineFlags & { readonly model: string; readonly seed: number },
  input?: { readonly frames: number; readonly height: number; readonly width: number },
): ModelChoice {
  const { model, seed, engine = 'onnx', threads, reuse, repeatThreshold, provider, withoutGpu } = flags;
  const size = input && { frames: input.frames, height: input.height, width: input.width };
  return {
    model,
    seed,
    engine,
    network: { ...networkOverrides(flags), ...size },
    ...sgsOverride(flags),
    sgsForced: flags.sgsAfter !== undefined || flags.sgsSize !== undefined,
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
    stride: flags.stride,
    bins: flags.bins,
    kernel: flags.kernel,
    distance: flags.distance?.toLowerCase(),
  };
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return parseSamplerOptions(kind === fallback.kind ? { ...fallback, ...defined } : defined);
}
