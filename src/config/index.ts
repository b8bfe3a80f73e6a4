export { configFromSources, loadConfig } from './load-config.ts';
export type { LoadOptions } from './load-config.ts';
export { resolveStream } from './resolve-stream.ts';
export type { ResolvedStream, StreamModel } from './resolve-stream.ts';
export type { Config, EffectiveSetting, ModelSettings, SamplerSettings, StreamSettings } from './types.ts';
