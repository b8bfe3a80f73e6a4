import { DEFAULT_MODEL } from '../inference/model.ts';
import { problemOfProvider } from '../inference/engine-choice.ts';
import { SAMPLERS } from '../sampler/index.ts';
import { innerName } from '../settings/inner-names.ts';
import type { Report } from './explain-issues.ts';
import { untrainedShape } from './model-schema.ts';
import { omit } from './omit.ts';
import type { SettingPath } from './problem.ts';
import { LAYER_KEYS } from './sampler-schema.ts';
import type { Settings } from './schema.ts';
import type { EngineSettings, ModelSettings, SamplerSettings } from './types.ts';

const ONLY_UNTRAINED = Object.keys(untrainedShape) as (keyof typeof untrainedShape)[];

/** Where keys shape a network that none names. */
const DEFAULT_NETWORK = 's3d-g';

/**
 * The model that is meant. Of `path` and `network`, the one set on a higher layer (flag > env > file)
 * wins. Both on the same layer is a problem.
 */
export function resolveModel(
  settings: Settings['model'],
  { rankOf, report }: { readonly rankOf: (path: SettingPath) => number; readonly report: Report },
): ModelSettings {
  const { path: set, network, seed = 0, ...shape } = settings;
  const only = ONLY_UNTRAINED.filter((key) => settings[innerName(key)] !== undefined);
  const path = set ?? (network !== undefined || only.length > 0 ? undefined : DEFAULT_MODEL);
  const trained =
    path !== undefined &&
    (network === undefined || rankOf(['model', 'path']) >= rankOf(['model', 'network']));
  const both = path !== undefined && network !== undefined;
  if (both && rankOf(['model', 'path']) === rankOf(['model', 'network'])) {
    report({ path: ['model', 'network'], message: 'path is set as well; give one of the two', key: true });
  }
  for (const key of trained && !both ? only : []) {
    const message = 'belongs to the network of a trained model; leave it out';
    report({ path: ['model', key], message, key: true });
  }
  if (!trained) return { model: network ?? DEFAULT_NETWORK, untrained: true, seed, ...shape };
  const { frames, size } = shape;
  return {
    ...{ model: path, untrained: false, seed },
    ...(frames !== undefined && { frames }),
    ...(size !== undefined && { size }),
  };
}

/** A provider that the engine does not know is a problem. Whether this machine has it, only opening shows. */
export function checkEngine(
  { kind, provider, reuse, repeatThreshold }: EngineSettings,
  report: Report,
): void {
  const problem = provider && problemOfProvider(kind, provider);
  if (problem !== undefined) report({ path: ['engine', 'provider'], message: problem });
  if (repeatThreshold > 0 && !reuse) {
    const message = 'does nothing with reuse: false; leave it out or let clips share work';
    report({ path: ['engine', 'repeat_threshold'], message, key: true });
  }
}

/** A stream that names another kind starts afresh; else it changes only what it sets. */
export function streamSampler(
  general: SamplerSettings,
  own: Settings['streams'][number]['sampler'],
): SamplerSettings {
  if (own.kind !== undefined && own.kind !== general.kind) return own;
  return { ...omit(general, LAYER_KEYS), ...own };
}

/** @param settings those of a stream or of all; options of another kind than the one named are problems */
export function checkSampler(settings: SamplerSettings, path: SettingPath, report: Report): void {
  const { kind } = settings;
  if (kind === undefined) return;
  const takes = Object.keys(SAMPLERS[kind]);
  const others = Object.values(SAMPLERS).flatMap((shape) => Object.keys(shape) as OptionKey[]);
  const wrong = others.find((key) => !takes.includes(key) && settings[innerName(key)] !== undefined);
  if (wrong === undefined) return;
  report({ path, message: `${wrong}: ${kind} takes ${takes.join(', ') || 'no options'}` });
}

type OptionKey = { [K in keyof typeof SAMPLERS]: keyof (typeof SAMPLERS)[K] }[keyof typeof SAMPLERS];
