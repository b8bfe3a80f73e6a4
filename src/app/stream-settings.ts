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
  return { ...resolveStream(settings, info, ffmpegPath), sampler };
}
