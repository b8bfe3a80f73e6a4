import { configFromSources, type SamplerSettings, type StreamSettings } from '../../config/index.ts';
import { omit } from '../../config/omit.ts';
import { LAYER_KEYS } from '../../config/sampler-schema.ts';
import type { SamplerOptions } from '../../sampler/types.ts';

interface VideoRequest {
  readonly sampler: SamplerSettings;
  readonly window: { readonly fps?: number; readonly stride?: number };
}

/** What `run --source` would use for a video, with the flags that the command shares with it. */
export function videoSettings(
  { sampler, window }: VideoRequest,
  { kind }: SamplerOptions,
  env: Readonly<Record<string, string | undefined>>,
): StreamSettings {
  const overrides = { defaults: { kind: 'file', window } };
  const [stream] = configFromSources(['video'], { env, overrides }).streams;
  if (!stream) throw new RangeError('a source makes a stream');
  return { ...stream, sampler: { ...omit(sampler, LAYER_KEYS), kind } };
}
