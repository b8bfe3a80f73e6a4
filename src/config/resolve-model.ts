import { messageOf } from '../core/errors.ts';
import { DEFAULT_MODEL } from '../inference/model.ts';
import { problemOfProvider } from '../inference/engine-choice.ts';
import { parseSamplerOptions } from '../sampler/index.ts';
import { defined } from './defined.ts';
import type { Report } from './explain-issues.ts';
import type { SettingPath } from './problem.ts';
import type { Settings } from './schema.ts';
import type { EngineSettings, ModelSettings, SamplerSettings } from './types.ts';

type Model = Settings['model'];
type Sampler = Settings['sampler'];
type SamplerInput = { readonly [K in keyof Sampler]?: Sampler[K] | undefined };

const ONLY_UNTRAINED = ['seed', 'classes', 'width', 'padding', 'stem', 'input', 'gate_bias'] as const;

/** Where keys shape a network that none names. */
const DEFAULT_NETWORK = 's3d-g';

/**
 * The model that is meant. Of `path` and `network` the one set on a higher layer (flag > env > file) wins; both on the
 * same layer is a problem.
 */
export function resolveModel(
  settings: Model,
  { rankOf, report }: { readonly rankOf: (path: SettingPath) => number; readonly report: Report },
): ModelSettings {
  const { network } = settings;
  const shaped = network !== undefined || ONLY_UNTRAINED.some((key) => settings[key] !== undefined);
  const path = settings.path ?? (shaped ? undefined : DEFAULT_MODEL);
  const trained =
    path !== undefined &&
    (network === undefined || rankOf(['model', 'path']) >= rankOf(['model', 'network']));
  const both = path !== undefined && network !== undefined;
  if (both && rankOf(['model', 'path']) === rankOf(['model', 'network'])) {
    report({ path: ['model', 'network'], message: 'path is set as well; give one of the two', key: true });
  }
  for (const key of ONLY_UNTRAINED) {
    if (trained && !both && settings[key] !== undefined) {
      const message = 'belongs to the network of a trained model; leave it out';
      report({ path: ['model', key], message, key: true });
    }
  }
  const { frames, size, seed = 0, classes, width, padding, stem, input, gate_bias: gateBias } = settings;
  return {
    model: trained ? path : (network ?? DEFAULT_NETWORK),
    untrained: !trained,
    seed,
    ...defined({ frames, size }),
    ...(!trained && defined({ classes, width, padding, stem, input, gateBias })),
  };
}

/** A provider that the engine does not know is a problem; whether this machine has it, only opening it tells. */
export function resolveEngine(settings: Settings['engine'], report: Report): EngineSettings {
  const { kind, provider, processes, threads, reuse, repeat_threshold: repeatThreshold, budget } = settings;
  const { max_clips: maxClips, max_wait: maxWaitMs } = settings.batch;
  const problem = provider && problemOfProvider(kind, provider);
  if (problem !== undefined) report({ path: ['engine', 'provider'], message: problem });
  if (repeatThreshold > 0 && !reuse) {
    const message = 'does nothing with reuse: false; leave it out or let clips share work';
    report({ path: ['engine', 'repeat_threshold'], message, key: true });
  }
  return {
    kind,
    reuse,
    repeatThreshold,
    ...defined({
      provider,
      withoutGpu: settings.without_gpu,
      processes,
      threads,
      clipTimeoutMs: settings.clip_timeout,
    }),
    batch: { maxClips, maxWaitMs },
    budget: {
      ...defined({
        multiplyAddsPerSecond: budget.multiply_adds_per_second,
        p95LatencyMs: budget.p95_latency,
      }),
      maxDeltaScale: budget.max_delta_scale,
    },
  };
}

/** In the words of the flags; checked as far as the settings name a kind. */
export function resolveSampler(settings: Sampler, report: Report): SamplerSettings {
  checkSampler(settings, ['sampler'], report);
  return samplerSettings(settings);
}

/** What all streams share. */
const OF_THE_NETWORK = {
  after: undefined,
  embedding_size: undefined,
  similarity: undefined,
  temporal_edge: undefined,
  time_means: undefined,
} as const;

/** A stream that names another kind starts afresh; else it changes only what it sets. */
export function streamSampler(
  general: Sampler,
  own: Settings['streams'][number]['sampler'],
): SamplerSettings {
  const options = samplerSettings({ ...general, ...OF_THE_NETWORK });
  const afresh = own.kind !== undefined && own.kind !== general.kind;
  return afresh ? samplerSettings(own) : { ...options, ...samplerSettings(own) };
}

function samplerSettings(settings: SamplerInput): SamplerSettings {
  return defined({
    sampler: settings.kind,
    sgsAfter: settings.after,
    sgsSize: settings.embedding_size,
    delta: settings.width,
    noiseFloor: settings.noise_floor,
    anchor: settings.anchor,
    representative: settings.representative,
    minSteps: settings.min_steps,
    similarity: settings.similarity,
    temporalEdge: settings.temporal_edge,
    timeMeans: settings.time_means,
    stride: settings.stride,
    bins: settings.bins,
    kernel: settings.kernel,
    distance: settings.distance,
  });
}

/** @param settings those of a stream or of all; options of another kind than the one named are problems */
export function checkSampler(settings: SamplerInput, path: SettingPath, report: Report): void {
  const { kind, width, noise_floor: noiseFloor, anchor, stride, bins, kernel, distance } = settings;
  const { representative, min_steps: minSteps } = settings;
  if (kind === undefined) return;
  try {
    parseSamplerOptions({
      ...{ kind, width, noiseFloor, anchor, representative, minSteps },
      ...{ stride, bins, kernel, distance },
    });
  } catch (error) {
    report({
      path,
      message: messageOf(error)
        .replace(/^sampler\./, '')
        .replace('noiseFloor', 'noise_floor')
        .replace('minSteps', 'min_steps'),
    });
  }
}
