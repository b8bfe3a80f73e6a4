import { resolveStream, type StreamSettings } from '../config/index.ts';
import { ActionstreamError } from '../core/errors.ts';
import type { EngineInfo } from '../inference/engine.ts';
import type { JobSettings } from '../pipeline/types.ts';
import { samplerOptions } from './model-choice.ts';

/**
 * A configured stream, completed with what the model says.
 * @throws ActionstreamError CONFIG_INVALID; MODEL_INVALID where the model gives no scores
 */
export function streamSettingsOf(
  settings: StreamSettings,
  info: EngineInfo,
  ffmpegPath: string,
): JobSettings {
  if (info.embedding) {
    throw new ActionstreamError(
      'MODEL_INVALID',
      `${info.model.id} computes embeddings, not scores of labels, so nothing can become an event; use infer --json`,
    );
  }
  const sampler = samplerOptions(settings.sampler, info.sampler);
  return { ...resolveStream(ofItsModels(settings, info), info, ffmpegPath), sampler };
}

/**
 * Of the labels of all models of a run, those of the stream's own become events.
 * @throws ActionstreamError CONFIG_INVALID where the stream allows a label that its models lack
 */
export function ofItsModels(
  settings: StreamSettings,
  { heads, labels, backgroundId }: Pick<EngineInfo, 'heads' | 'labels' | 'backgroundId'>,
): StreamSettings {
  const { models: names } = settings;
  if (!heads || !names) return settings;
  const own = heads.filter(({ name }) => names.includes(name)).flatMap((head) => head.labels);
  const background = backgroundId === undefined ? undefined : labels[backgroundId];
  const possible = own.filter((label) => label !== background && labels.includes(label));
  const { allow = possible } = settings.events;
  const unknown = allow.find((label) => !possible.includes(label));
  if (unknown === undefined) return { ...settings, events: { ...settings.events, allow } };
  throw new ActionstreamError(
    'CONFIG_INVALID',
    `streams[].events.allow of "${settings.streamId}": no label "${unknown}" in ${names.join(', ')}; there are ${possible.join(', ')}`,
  );
}
