export { configFromSources, loadConfig, readConfigFile } from './load-config.ts';
export { ConfigInvalid } from './problem.ts';
export { DEFAULT_ON, resolveStream } from './resolve-stream.ts';
export type { ResolvedStream } from './resolve-stream.ts';
export {
  NOTHING_STORED,
  renderStored,
  withAdded,
  withChanged,
  withRemoved,
  type StoredStreams,
  type WrittenStream,
} from './stored-streams.ts';
export { resolveSource } from './resolve-source.ts';
export type { FleetSettings } from './resolve-fleet.ts';
export type { Config, EngineSettings, NetworkSettings, SamplerSettings, StreamSettings } from './types.ts';
