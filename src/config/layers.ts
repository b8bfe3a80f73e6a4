import { ActionstreamError } from '../core/errors.ts';
import type { SettingPath } from './problem.ts';

/** Where a value came from, weakest first. */
export type Layer = 'default' | 'file' | 'env' | 'flag' | 'api';

/** One value set from outside the file. */
export interface Override {
  readonly path: SettingPath;
  readonly value: unknown;
  readonly layer: 'env' | 'flag';
  /** `environment variable ACTIONSTREAM_…`, `command line`, `settings`. */
  readonly origin: string;
}

const PREFIX = 'ACTIONSTREAM_';

/**
 * `ACTIONSTREAM_SINKS__KAFKA__BROKERS=a:9092,b:9092` → sinks.kafka.brokers;
 * `__0__` is the first of a list. Variables whose first word is no top-level
 * key are none of ours: Kubernetes makes some for a service of our name.
 */
export function envOverrides(
  env: Readonly<Record<string, string | undefined>>,
  topLevelKeys: readonly string[],
): readonly Override[] {
  return Object.entries(env)
    .filter((entry): entry is [string, string] => entry[0].startsWith(PREFIX) && entry[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({
      path: name
        .slice(PREFIX.length)
        .toLowerCase()
        .split('__')
        .map((key) => (/^\d+$/.test(key) ? positionOf(key, name) : key)),
      value,
      layer: 'env' as const,
      origin: `environment variable ${name}`,
    }))
    .filter(({ path }) => topLevelKeys.includes(String(path[0])));
}

function positionOf(digits: string, name: string): number {
  const position = Number(digits);
  if (position <= MAX_POSITION) return position;
  const problem = `environment variable ${name}: no list has a position ${digits}; the last is ${MAX_POSITION}`;
  throw new ActionstreamError('CONFIG_INVALID', problem);
}

const MAX_POSITION = 9999;

/**
 * The leaves of settings given beside the file; lists and empty sections count as leaves.
 * @param origin who gave them
 */
export function flagOverrides(flags: object, origin: string, path: SettingPath = []): readonly Override[] {
  return Object.entries(flags as Record<string, unknown>).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const here = [...path, key];
    if (isSection(value) && Object.keys(value).length > 0) return flagOverrides(value, origin, here);
    return [{ path: here, value, layer: 'flag' as const, origin }];
  });
}

/** `tree` with one value replaced; sections and list items on the way are made where missing. */
export function withValue(tree: unknown, [key, ...rest]: SettingPath, value: unknown): unknown {
  if (key === undefined) return value;
  if (typeof key === 'number') {
    const items: unknown[] = Array.isArray(tree) ? [...(tree as unknown[])] : [];
    items[key] = withValue(items[key], rest, value);
    return Array.from(items);
  }
  const section = isSection(tree) ? tree : {};
  return { ...section, [key]: withValue(section[key], rest, value) };
}

export function valueAt(tree: unknown, path: SettingPath): unknown {
  return path.reduce<unknown>((node, key) => {
    if (Array.isArray(node) && typeof key === 'number') return (node as unknown[])[key];
    return isSection(node) && Object.hasOwn(node, key) ? node[key] : undefined;
  }, tree);
}

export function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
