import { existsSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve as resolvePath } from 'node:path';
import { decodeText } from '../core/decode-text.ts';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import { redactUrl } from '../core/redact.ts';
import { coerce } from './coerce.ts';
import { effectiveSettings } from './effective-settings.ts';
import { explainIssues, schemaAt } from './explain-issues.ts';
import type { Finding, Report } from './explain-issues.ts';
import { envOverrides, flagOverrides, valueAt, withValue } from './layers.ts';
import type { Override } from './layers.ts';
import { originOf, problemOf, rankOf } from './origins.ts';
import type { Origins } from './origins.ts';
import { configError } from './problem.ts';
import { readYaml } from './read-yaml.ts';
import type { YamlFile } from './read-yaml.ts';
import { checkEngine, checkSampler, resolveModel } from './resolve-model.ts';
import { resolveFleet } from './resolve-fleet.ts';
import { resolveHttp } from './resolve-http.ts';
import { resolveSinks } from './resolve-sinks.ts';
import { resolveStreams } from './resolve-stream-settings.ts';
import { configJsonSchema, configSchema } from './schema.ts';
import type { JsonSchema, Settings } from './schema.ts';
import { createFileSettings } from './secrets.ts';
import {
  mergeStored,
  NOTHING_STORED,
  parseStored,
  writtenIds,
  type StoredStreams,
} from './stored-streams.ts';
import type { Env } from './substitute-env.ts';
import type { Config, StreamOrigins, StreamSettings } from './types.ts';

export interface LoadOptions {
  /** Default: the process's own. */
  readonly env?: Env;
  /** Settings given as flags, by the keys of the file: `{ log: { level: 'debug' } }`. Lists replace lists. */
  readonly overrides?: object;
  /** What the file says; default: it is read. */
  readonly text?: string;
  /** Changes over its streams. Default: those that are kept beside the journal. */
  readonly stored?: StoredStreams;
}

/**
 * The configuration of a YAML file: flags > environment (ACTIONSTREAM_…) > file > defaults. `${ENV}` is
 * replaced, files that hold secrets are read, everything is checked. Relative paths start at the working
 * directory.
 *
 * @throws CONFIG_INVALID naming every problem with file, line, column, key and what was expected
 */
export function loadConfig(path: string, options: LoadOptions = {}): Config {
  const { env = process.env, overrides = {}, text = readConfigFile(path), stored } = options;
  const withStore = Object.hasOwn(overrides, 'streams') ? (stored ?? NOTHING_STORED) : stored;
  return configOf(readYaml(path, text, env), path, { env, overrides, stored: withStore });
}

interface SourceLogin {
  readonly username?: string;
  readonly password?: string;
}

/** The configuration of `run --source URL…` without a file; without URLs that of the settings alone. */
export function configFromSources(
  urls: readonly string[],
  {
    env = process.env,
    overrides = {},
    login = {},
    stored = NOTHING_STORED,
  }: LoadOptions & { readonly login?: SourceLogin } = {},
): Config {
  const ids = urls.map(streamIdOf);
  const streams = urls.map((url, i) => {
    const again = ids.slice(0, i).filter((id) => id === ids[i]).length;
    return { id: `${ids[i] ?? 'source'}${again === 0 ? '' : `-${again + 1}`}`, url, ...login };
  });
  if (urls.length === 0) return configOf(undefined, 'settings', { env, overrides, stored });
  return configOf(undefined, 'command line', { env, overrides: { ...overrides, streams }, stored });
}

/** The text of a configuration file. @throws CONFIG_INVALID */
export function readConfigFile(path: string): string {
  let bytes: Uint8Array;
  try {
    const found = statSync(path);
    if (found.isFile() && found.size > MAX_BYTES) throw new Error(`it holds ${found.size} bytes`);
    bytes = readFileSync(path);
  } catch (error) {
    throw new ActionstreamError('CONFIG_INVALID', `${path}: cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return decodeText(bytes, path, 'CONFIG_INVALID');
}

/** Some hundred thousand lines; a larger file is none of ours. */
const MAX_BYTES = 4 * 2 ** 20;

/** The last word of a path, or the host of a URL. */
function streamIdOf(url: string): string {
  const remote = /^[a-z][a-z0-9+.-]+:\/\/(?:[^/?#]*@)?([^/?#]+)/i.exec(redactUrl(url))?.[1];
  const word = remote ?? (url.split(/[/\\]/).at(-1) ?? '').replace(/\.[A-Za-z0-9]+$/, '');
  const safe = word.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return safe.slice(0, 100) || 'source';
}

interface Layers {
  readonly env: Env;
  readonly overrides: object;
  /** Undefined: what is kept beside the journal. */
  readonly stored: StoredStreams | undefined;
}

function configOf(yaml: YamlFile | undefined, name: string, { env, overrides, stored }: Layers): Config {
  if (yaml && yaml.problems.length > 0) throw configError(name, yaml.problems);
  const schema = configJsonSchema();
  const layers: readonly Override[] = [
    ...envOverrides(env, Object.keys(schema.properties ?? {})),
    ...flagOverrides(overrides, yaml ? 'command line' : name),
  ];
  const written = yaml?.value ?? {};
  const merged = layers.reduce<unknown>((tree, { path, value }) => withValue(tree, path, value), written);
  const streams = valueAt(merged, ['streams']);
  const streamOrigins = { ...storeOf(merged, stored, schema), written: writtenIds(streams) };
  const withStored = mergeStored(streams, streamOrigins.stored);
  const tree = coerce(
    withStored.places.length > 0 || Array.isArray(streams)
      ? withValue(merged, ['streams'], withStored.streams)
      : merged,
    schema,
  );
  const places = { name: streamOrigins.store ?? 'changed through the API', places: withStored.places };
  const origins = { layers, yaml, written, name, stored: places };
  const fail = (findings: readonly Finding[]): never => {
    throw configError(
      name,
      findings.map((finding) => problemOf(finding, origins)),
    );
  };
  const parsed = configSchema.safeParse(tree);
  if (!parsed.success) return fail(explainIssues(parsed.error.issues, tree, schema));

  const findings: Finding[] = [];
  const { written: ids } = streamOrigins;
  const config = resolve(parsed.data, {
    ...{ env, origins, written: ids },
    report: (finding) => findings.push(finding),
  });
  if (findings.length > 0) return fail(findings);
  const settings = effective(tree, schema, { origins, instance: config.instance });
  return { ...config, streamOrigins, effective: settings };
}

/** What is kept beside the journal that the settings name, unless something else is given in its place. */
function storeOf(
  settings: unknown,
  given: StoredStreams | undefined,
  schema: JsonSchema,
): Pick<StreamOrigins, 'store' | 'stored'> {
  // The streams of a fleet are kept in its topic.
  if (given !== undefined || valueAt(settings, ['fleet', 'name']) !== undefined)
    return { stored: given ?? NOTHING_STORED };
  const path = ['journal', 'dir'];
  const dir = valueAt(settings, path) ?? schemaAt(schema, path)?.default;
  const store = typeof dir === 'string' ? join(dir, STORE_FILE) : undefined;
  if (store === undefined || !existsSync(store)) return { ...(store && { store }), stored: NOTHING_STORED };
  return { store, stored: parseStored(readConfigFile(store), store) };
}

const STORE_FILE = 'streams.json';

function resolve(
  settings: Settings,
  {
    env,
    origins,
    written,
    report,
  }: {
    readonly env: Env;
    readonly origins: Origins;
    readonly written: readonly string[];
    readonly report: Report;
  },
): Omit<Config, 'effective' | 'streamOrigins'> {
  const files = createFileSettings(report);
  const instance = settings.instance ?? defaultInstance();
  const { sampler, engine, journal, log, reload } = settings;
  const http = resolveHttp(settings.http, { files, report });
  const sinks = resolveSinks(settings.sinks, { files, env, instance, report });
  const fleet = resolveFleet(settings.fleet, { sinks, written, report });
  if (settings.streams.length === 0 && settings.http.port === undefined && settings.fleet.name === undefined)
    report({ path: ['streams'], message: 'expected at least one stream, or http.port to add some' });
  checkSampler(sampler, ['sampler'], report);
  checkEngine(engine, report);
  const model = resolveModel(settings.model, { rankOf: (path) => rankOf(path, origins), report });
  return {
    ...{ instance, model, sampler, engine, journal, log, reload },
    streams: withModels(resolveStreams(settings, { files, report }), model.model),
    sinks,
    ...(fleet && { fleet }),
    ...(settings.metrics.port !== undefined && {
      metrics: { host: settings.metrics.host, port: settings.metrics.port },
    }),
    ...(http && { http }),
    ...mediaOf(settings.media),
  };
}

function mediaOf({ dir, ...media }: Settings['media']): Pick<Config, 'media'> {
  return dir === undefined ? {} : { media: { ...media, dir: resolvePath(dir) } };
}

/** Where any stream names its models, all do. */
function withModels(streams: readonly StreamSettings[], model: string): readonly StreamSettings[] {
  return streams.some(({ models }) => models)
    ? streams.map((stream) => ({ models: [model], ...stream }))
    : streams;
}

/** The host name, as far as an instance name allows. */
function defaultInstance(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 64) || 'local'
  );
}

function effective(
  tree: unknown,
  schema: JsonSchema,
  { origins, instance }: { readonly origins: Origins; readonly instance: string },
): Config['effective'] {
  const settings = effectiveSettings(tree, schema, (path) => originOf(path, origins));
  const named = settings.some(({ key }) => key === 'instance');
  if (named) return settings;
  return [{ key: 'instance', value: instance, layer: 'default', origin: 'host name' }, ...settings];
}
