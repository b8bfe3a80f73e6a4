import { ActionstreamError, messageOf } from '../core/errors.ts';

/** What computes a network. */
export const ENGINE_KINDS = ['onnx', 'tfjs', 'reference', 'null'] as const;

export type EngineKind = (typeof ENGINE_KINDS)[number];

/** Where it computes. `auto`: a GPU if there is one; `wasm` and `js` need no native code. */
export const PROVIDERS = [
  'auto',
  'cpu',
  'cuda',
  'tensorrt',
  'coreml',
  'directml',
  'webgpu',
  'wasm',
  'js',
] as const;

export type Provider = (typeof PROVIDERS)[number];

/** What each engine can be asked for; the first stands where nothing is asked. */
const ENGINE_PROVIDERS: Readonly<Record<EngineKind, readonly [Provider, ...Provider[]]>> = {
  onnx: ['cpu', 'auto', 'cuda', 'tensorrt', 'coreml', 'directml', 'webgpu'],
  tfjs: ['auto', 'cpu', 'cuda', 'wasm', 'js'],
  reference: ['cpu'],
  null: ['cpu'],
};

/** Why an engine cannot be asked for a provider; undefined where it can. */
export function problemOfProvider(engine: EngineKind, provider: Provider): string | undefined {
  const known = ENGINE_PROVIDERS[engine];
  return known.includes(provider) ? undefined : `engine ${engine} knows ${known.join(', ')}, not ${provider}`;
}

/** What to do where a GPU is wanted and none can be used. */
export const WITHOUT_GPU = ['fail', 'cpu'] as const;

export interface DeviceChoice {
  /** Default: the first of the engine's providers. */
  readonly provider?: Provider;
  /** Default: `cpu` under `auto`, `fail` where a GPU is named. */
  readonly withoutGpu?: (typeof WITHOUT_GPU)[number];
}

/** One way to compute, tried when its turn comes; `open` throws what is missing and the remedy. */
export interface DeviceCandidate<T> {
  readonly provider: Provider;
  readonly gpu: boolean;
  /** Whether `auto` tries it here. */
  readonly auto: boolean;
  open(): Promise<T>;
}

/** What was opened, and for each candidate before it why it was passed over. */
export interface OpenedDevice<T> {
  readonly opened: T;
  readonly notices: readonly string[];
}

/**
 * The first candidate that opens, among those that the choice allows, in the order given.
 * @throws ActionstreamError ENGINE_UNAVAILABLE naming what each one lacks
 */
export async function openDevice<T>(
  candidates: readonly DeviceCandidate<T>[],
  { engine, provider, withoutGpu }: { readonly engine: EngineKind } & DeviceChoice,
): Promise<OpenedDevice<T>> {
  const wanted = provider ?? ENGINE_PROVIDERS[engine][0];
  const allowed = allowedCandidates(candidates, wanted, withoutGpu);
  const notices: string[] = [];
  for (const candidate of allowed) {
    try {
      return { opened: await candidate.open(), notices };
    } catch (error) {
      notices.push(`${engine} on ${candidate.provider}: ${messageOf(error)}`);
    }
  }
  const remedy = allowed.some(({ gpu }) => gpu)
    ? '; to go on without a GPU set engine.without_gpu to cpu (--without-gpu cpu)'
    : '';
  throw new ActionstreamError('ENGINE_UNAVAILABLE', `${notices.join('; ')}${remedy}`);
}

function allowedCandidates<T>(
  candidates: readonly DeviceCandidate<T>[],
  provider: Provider,
  withoutGpu: DeviceChoice['withoutGpu'] = provider === 'auto' ? 'cpu' : 'fail',
): readonly DeviceCandidate<T>[] {
  const isMeant = (candidate: DeviceCandidate<T>): boolean =>
    provider === 'auto' ? candidate.auto : candidate.provider === provider;
  const gpus = candidates.filter((candidate) => candidate.gpu && isMeant(candidate));
  const cpus = candidates.filter(({ gpu }) => !gpu);
  if (provider === 'cpu') return cpus;
  if (provider !== 'auto' && gpus.length === 0) return candidates.filter(isMeant);
  return withoutGpu === 'cpu' ? [...gpus, ...cpus] : gpus;
}
