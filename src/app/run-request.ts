import { configFromSources, loadConfig, type Config } from '../config/index.ts';
import type { ServiceContext } from './context.ts';

/** A configuration file, sources, or both; `flags` has the shape of the file and wins over it. */
export interface RunRequest {
  readonly configPath?: string;
  readonly sources: readonly string[];
  /** Of every source of the command line. */
  readonly login: { readonly username?: string; readonly password?: string };
  readonly flags: object;
}

/** The configuration that a request means. @throws CONFIG_INVALID */
export function configOf(
  { configPath, sources, login, flags }: RunRequest,
  env: ServiceContext['env'],
): Config {
  if (configPath === undefined) return configFromSources(sources, { env, overrides: flags, login });
  const streams =
    sources.length === 0
      ? {}
      : {
          streams: configFromSources(sources, { env }).streams.map(({ streamId, url }) => ({
            id: streamId,
            url,
            ...login,
          })),
        };
  return loadConfig(configPath, { env, overrides: { ...flags, ...streams } });
}
