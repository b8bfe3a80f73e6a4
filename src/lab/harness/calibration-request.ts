import { isDeepStrictEqual } from 'node:util';
import { configuredModel, modelChoice } from '../../app/model-choice.ts';
import {
  configFromSources,
  loadConfig,
  type SamplerSettings,
  type StreamSettings,
} from '../../config/index.ts';
import { settingsOfFlags } from '../../config/flag-settings.ts';
import { omit } from '../../config/omit.ts';
import { ActionstreamError } from '../../core/errors.ts';
import type { CalibrationRequest } from './calibrate.ts';

/** What `calibrate` was asked for, as it stands on the command line. */
export interface CalibrationWish extends Pick<
  CalibrationRequest,
  'durationMs' | 'most' | 'agreement' | 'seed'
> {
  /** Videos and addresses; with a configuration, ids of its streams. */
  readonly names: readonly string[];
  readonly configPath?: string;
  /** Absent: that of the configuration. */
  readonly model?: string;
  /** Given as flags, in the shape of the configuration file. */
  readonly settings: object;
  /** Of every source of the command line. */
  readonly login: { readonly username?: string; readonly password?: string };
}

/**
 * @throws ActionstreamError CONFIG_INVALID; USAGE where the streams are not there, or differ in what δ
 * depends on
 */
export function calibrationRequest(
  { names, configPath, model, settings, login, ...same }: CalibrationWish,
  env: Readonly<Record<string, string | undefined>>,
): CalibrationRequest {
  if (configPath !== undefined) {
    const config = loadConfig(configPath, { env, overrides: settings });
    const sources = names.map((name) => streamOf(config.streams, name, configPath));
    const sampler = { ...samplerOf(sources), ...settingsOfFlags(settings).sampler };
    const chosen = configuredModel({ ...config, sampler: ordered({ ...config.sampler, ...sampler }) });
    return { ...same, sources, model: chosen, sampler };
  }
  if (model === undefined)
    throw new ActionstreamError('USAGE', 'name the model with --model, or a configuration with --config');
  const { defaults } = settings as { readonly defaults?: object };
  const { streams } = configFromSources(names, { env, overrides: { ...(defaults && { defaults }) }, login });
  const { sampler, network, engine } = settingsOfFlags(settings);
  const chosen = modelChoice({ ...{ model, network, engine }, seed: same.seed, sampler: ordered(sampler) });
  return { ...same, sources: streams, model: chosen, sampler };
}

function streamOf(streams: readonly StreamSettings[], name: string, file: string): StreamSettings {
  const stream = streams.find(({ streamId }) => streamId === name);
  if (stream) return stream;
  const known = streams.map(({ streamId }) => streamId).join(', ');
  throw new ActionstreamError('USAGE', `${name}: no stream of ${file}, which has ${known}`);
}

/** One δ is found for all streams that are named, so they must sample alike. */
function samplerOf(sources: readonly StreamSettings[]): SamplerSettings {
  const [first = {}, ...others] = sources.map(({ sampler }) => omit(sampler, ['width']));
  if (others.every((other) => isDeepStrictEqual(other, first))) return first;
  throw new ActionstreamError(
    'USAGE',
    'these streams differ in their sampler settings: calibrate them one by one',
  );
}

function ordered(sampler: SamplerSettings): SamplerSettings {
  return { ...sampler, kind: sampler.kind ?? 'ordered' };
}
