import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { decodeText } from '../core/decode-text.ts';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import { redactUrl } from '../core/redact.ts';
import { coerce } from './coerce.ts';
import { effectiveSettings } from './effective-settings.ts';
import { explainIssues } from './explain-issues.ts';
import type { Finding, Report } from './explain-issues.ts';
import { envOverrides, flagOverrides, withValue } from './layers.ts';
import type { Override } from './layers.ts';
import { originOf, problemOf, rankOf } from './origins.ts';
import type { Origins } from './origins.ts';
import { configError } from './problem.ts';
import { readYaml } from './read-yaml.ts';
import type { YamlFile } from './read-yaml.ts';
import { checkEngine, checkSampler, resolveModel } from './resolve-model.ts';
import { resolveHttp } from './resolve-http.ts';
import { resolveSinks } from './resolve-sinks.ts';
import { resolveStreams } from './resolve-stream-settings.ts';
import { configJsonSchema, configSchema } from './schema.ts';
import type { JsonSchema, Settings } from './schema.ts';
import { createFileSettings } from './secrets.ts';
import type { Env } from './substitute-env.ts';
import type { Config, StreamSettings } from './types.ts';

export interface LoadOptions {
  /** Default: the process's own. */
  readonly env?: Env;
  /** Settings given as flags, by the keys of the file: `{ log: { level: 'debug' } }`. Lists replace lists. */
  readonly overrides?: object;
}

/**
 * The configuration of a YAML file: flags > environment (ACTIONSTREAM_…) > file > defaults. `${ENV}` is
 * replaced, files that hold secrets are read, everything is checked. Relative paths start at the working
 * directory.
 *
 * @throws CONFIG_INVALID naming every problem with file, line, column, key and what was expected
 */
export function loadConfig(path: string, { env = process.env, overrides = {} }: LoadOptions = {}): Config {
  return configOf(readYaml(path, readConfigFile(path), env), path, { env, overrides });
}

interface SourceLogin {
  readonly username?: string;
  readonly password?: string;
}

/** The configuration of `run --source URL…` without a file. */
export function configFromSources(
  urls: readonly string[],
  { env = process.env, overrides = {}, login = {} }: LoadOptions & { readonly login?: SourceLogin } = {},
): Config {
  const ids = urls.map(streamIdOf);
  const streams = urls.map((url, i) => {
    const again = ids.slice(0, i).filter((id) => id === ids[i]).length;
    return { id: `${ids[i] ?? 'source'}${again === 0 ? '' : `-${again + 1}`}`, url, ...login };
  });
  return configOf(undefined, 'command line', { env, overrides: { ...overrides, streams } });
}

function readConfigFile(path: string): string {
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

function configOf(
  yaml: YamlFile | undefined,
  name: string,
  { env, overrides }: Required<LoadOptions>,
): Config {
  if (yaml && yaml.problems.length > 0) throw configError(name, yaml.problems);
  const schema = configJsonSchema();
  const layers: readonly Override[] = [
    ...envOverrides(env, Object.keys(schema.properties ?? {})),
    ...flagOverrides(overrides),
  ];
  const written = yaml?.value ?? {};
  const tree = coerce(
    layers.reduce<unknown>((merged, { path, value }) => withValue(merged, path, value), written),
    schema,
  );
  const origins = { layers, yaml, written, name };
  const fail = (findings: readonly Finding[]): never => {
    throw configError(
      name,
      findings.map((finding) => problemOf(finding, origins)),
    );
  };
  const parsed = configSchema.safeParse(tree);
  if (!parsed.success) return fail(explainIssues(parsed.error.issues, tree, schema));

  const findings: Finding[] = [];
  const config = resolve(parsed.data, { env, origins, report: (finding) => findings.push(finding) });
  if (findings.length > 0) return fail(findings);
  return { ...config, effective: effective(tree, schema, { origins, instance: config.instance }) };
}

function resolve(
  settings: Settings,
  { env, origins, report }: { readonly env: Env; readonly origins: Origins; readonly report: Report },
): Omit<Config, 'effective'> {
  const files = createFileSettings(report);
  const instance = settings.instance ?? defaultInstance();
  const { sampler, engine, journal, log } = settings;
  const http = resolveHttp(settings.http, { files, report });
  checkSampler(sampler, ['sampler'], report);
  checkEngine(engine, report);
  const model = resolveModel(settings.model, { rankOf: (path) => rankOf(path, origins), report });
  return {
    ...{ instance, model, sampler, engine, journal, log },
    streams: withModels(resolveStreams(settings, { files, report }), model.model),
    sinks: resolveSinks(settings.sinks, { files, env, instance, report }),
    ...(settings.metrics.port !== undefined && {
      metrics: { host: settings.metrics.host, port: settings.metrics.port },
    }),
    ...(http && { http }),
  };
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
