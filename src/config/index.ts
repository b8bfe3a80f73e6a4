export { configFromSources, loadConfig } from './load-config.ts';
export { DEFAULT_ON, resolveStream } from './resolve-stream.ts';
export type { ResolvedStream } from './resolve-stream.ts';
export type { Config, EngineSettings, NetworkSettings, SamplerSettings, StreamSettings } from './types.ts';
