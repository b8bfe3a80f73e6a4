import type { Config, EngineSettings, NetworkSettings, SamplerSettings } from '../config/index.ts';
import { omit } from '../config/omit.ts';
import { LAYER_KEYS } from '../config/sampler-schema.ts';
import type { NetworkOptions, SgsOptions } from '../inference/network/graph.ts';
import { parseSimilarity, POOLED, resolveSgs, type Similarity } from '../inference/network/similarity.ts';
import { parseStageName } from '../inference/network/variants.ts';
import { parseSamplerOptions, type SamplerOptions } from '../sampler/index.ts';

/** Only what was set, so that a model's own or the defaults stand for the rest. */
export function networkOverrides({
  size,
  width,
  input,
  gateBias,
  ...same
}: NetworkSettings): Partial<NetworkOptions> {
  return {
    ...same,
    ...(size !== undefined && { height: size, width: size }),
    ...(width !== undefined && { widthMultiplier: width }),
    ...(input === 'motion' && { input: { kind: 'motion' } as const }),
    ...(gateBias === false && { gateBias }),
  };
}

/**
 * Kept steps that repeat themselves at the edges also weigh as many input steps as they stand for, unless
 * a setting says otherwise.
 */
export function arithmeticOverrides({
  temporalEdge,
  timeMeans,
}: SamplerSettings): Pick<NetworkOptions, 'temporalEdge' | 'timeMeans'> {
  const follows = temporalEdge && ({ edge: 'multiplicity', zero: 'plain' } as const)[temporalEdge];
  const means = timeMeans ?? follows;
  return {
    ...(temporalEdge !== undefined && { temporalEdge }),
    ...(means !== undefined && { timeMeans: means }),
  };
}

/**
 * The place of SGS, where a setting asks for one. A sampler that drops steps needs a place, and so do
 * settings of the network above it. Without a named place it is Conv_2b. Pooled embeddings need no
 * weights. The published arithmetic (`reference`) keeps its embeddings as they are.
 */
export function sgsOverride(settings: SamplerSettings): Partial<Pick<NetworkOptions, 'sgs'>> {
  const samples = settings.kind !== undefined && settings.kind !== 'none';
  const shapes = settings.similarity !== undefined || settings.temporalEdge === 'edge';
  if (settings.after === undefined && !samples && !shapes) return {};
  const after = parseStageName(settings.after ?? 'Conv_2b');
  const learned =
    settings.embeddingSize !== undefined && ({ kind: 'learned', size: settings.embeddingSize } as const);
  const boundary = settings.kind === 'reference' ? 'as_is' : 'nearest_complete';
  return { sgs: { after, embedding: learned || POOLED, boundary } };
}

/** The SGS layer that a network of these options has under the settings. */
export function configuredSgs(
  own: Partial<NetworkOptions>,
  settings: SamplerSettings,
): Partial<Pick<NetworkOptions, 'sgs'>> {
  const { sgs: fallback } = sgsOverride(settings);
  const forced = isForced(settings) ? fallback : undefined;
  const sgs = resolveSgs(own.sgs, { forced, fallback, similarity: similarityOf(settings) });
  return sgs ? { sgs } : {};
}

function isForced({ after, embeddingSize }: SamplerSettings): boolean {
  return after !== undefined || embeddingSize !== undefined;
}

function similarityOf({ similarity }: SamplerSettings): Similarity | undefined {
  return similarity === undefined ? undefined : parseSimilarity(similarity);
}

/** What computes a network, and where; the rest of the engine's settings concerns many streams. */
type EngineChoice = Pick<EngineSettings, 'kind'> &
  Partial<Pick<EngineSettings, 'provider' | 'withoutGpu' | 'threads' | 'reuse' | 'repeatThreshold'>>;

/** Which model to open and how; the composition root turns it into an engine. */
export interface ModelChoice {
  /** A path to a trained model, or a network name for random weights. */
  readonly model: string;
  /** Trained models whose heads share its pass, itself among them. */
  readonly heads?: readonly string[];
  readonly seed: number;
  readonly engine: EngineChoice;
  /** Differences from the model's own network: only what settings or the input demand. */
  readonly network: Partial<NetworkOptions>;
  /** Where SGS is to sit if the model has none of its own, or a setting moves it. */
  readonly sgs?: SgsOptions;
  /** True where a setting names the place or the embedding, in place of the model's own SGS. */
  readonly sgsForced: boolean;
  /** By what steps are to be compared in place of the embedding of either. */
  readonly similarity?: Similarity;
}

export interface ModelRequest {
  readonly model: string;
  readonly seed: number;
  readonly network?: NetworkSettings;
  readonly sampler?: SamplerSettings;
  /** Default: onnx. */
  readonly engine?: EngineChoice;
}

export function modelChoice(
  { model, seed, network = {}, sampler = {}, engine = { kind: 'onnx' } }: ModelRequest,
  input?: { readonly frames: number; readonly height: number; readonly width: number },
): ModelChoice {
  const similarity = similarityOf(sampler);
  const size = input && { frames: input.frames, height: input.height, width: input.width };
  return {
    ...{ model, seed, engine },
    network: { ...networkOverrides(network), ...arithmeticOverrides(sampler), ...size },
    ...sgsOverride(sampler),
    sgsForced: isForced(sampler),
    ...(similarity !== undefined && { similarity }),
  };
}

/** The choice of a configuration: the models of all its streams. */
export function configuredModel({
  model: settings,
  sampler,
  engine,
  streams,
}: Pick<Config, 'model' | 'sampler' | 'engine' | 'streams'>): ModelChoice {
  const network = omit(settings, ['model', 'untrained', 'seed']);
  const heads = [...new Set(streams.flatMap(({ models = [] }) => models))];
  const [model = settings.model] = heads;
  const choice = modelChoice({ model, seed: settings.seed, network, sampler, engine });
  return heads.length > 0 ? { ...choice, heads } : choice;
}

/**
 * The sampler that the settings name; `own` (the model's) gives what they leave out.
 * @throws SAMPLER_INVALID
 */
export function samplerOptions(
  settings: SamplerSettings,
  own: SamplerOptions = { kind: 'none' },
): SamplerOptions {
  const kind = settings.kind ?? own.kind;
  const given = { ...omit(settings, LAYER_KEYS), kind };
  return parseSamplerOptions(kind === own.kind ? { ...own, ...given } : given);
}
