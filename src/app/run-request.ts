import {
  configFromSources,
  loadConfig,
  readConfigFile,
  type Config,
  type StoredStreams,
} from '../config/index.ts';
import type { EventSink } from '../sink/event-sink.ts';
import type { ServiceContext } from './context.ts';

/** A configuration file, sources, or both; `flags` has the shape of the file and wins over it. */
export interface RunRequest {
  readonly configPath?: string;
  readonly sources: readonly string[];
  /** Of every source of the command line. */
  readonly login: { readonly username?: string; readonly password?: string };
  readonly flags: object;
  /** Beside those that are configured. */
  readonly sinks?: readonly EventSink[];
}

/** The configuration that a request means, and how it is read again. */
export interface ConfigSource {
  /** The configuration file; absent: there is none. */
  readonly path?: string;
  /** As it stands now. @throws CONFIG_INVALID */
  readText(): string;
  /**
   * @param text of the configuration file; default: it is read
   * @param stored changes over its streams; default: those that are kept, if the streams are the file's
   * @throws CONFIG_INVALID
   */
  load(given?: { readonly text?: string; readonly stored?: StoredStreams }): Config;
}

export function configSource(
  { configPath, sources, login, flags }: RunRequest,
  env: ServiceContext['env'],
): ConfigSource {
  if (configPath === undefined) {
    return {
      readText: () => '',
      load: ({ stored } = {}) =>
        configFromSources(sources, { env, overrides: flags, login, ...(stored && { stored }) }),
    };
  }
  const streams = streamsOf(sources, login, env);
  const overrides = { ...flags, ...(streams.length > 0 && { streams }) };
  return {
    path: configPath,
    readText: () => readConfigFile(configPath),
    load: (given = {}) => loadConfig(configPath, { env, overrides, ...given }),
  };
}

function streamsOf(
  sources: RunRequest['sources'],
  login: RunRequest['login'],
  env: ServiceContext['env'],
): readonly object[] {
  if (sources.length === 0) return [];
  return configFromSources(sources, { env }).streams.map(({ streamId, url }) => ({
    ...{ id: streamId, url },
    ...login,
  }));
}
