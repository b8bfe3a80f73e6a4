import type { Finding } from './explain-issues.ts';
import { valueAt } from './layers.ts';
import type { Layer, Override } from './layers.ts';
import type { Problem, SettingPath } from './problem.ts';
import type { YamlFile } from './read-yaml.ts';

/** All that could have set a value. */
export interface Origins {
  /** Weakest first. */
  readonly layers: readonly Override[];
  readonly yaml: YamlFile | undefined;
  /** What the file says, before the layers above it. */
  readonly written: unknown;
  /** Of the file, or what stands in its place. */
  readonly name: string;
}

/** The strongest layer that sets a value or something around it; undefined for a default. */
export function originOf(
  path: SettingPath,
  { layers, yaml, written }: Origins,
): { readonly layer: Layer; readonly origin: string } | undefined {
  const outside = layers.findLast((override) => override.path.every((key, i) => key === path[i]));
  if (outside) return { layer: outside.layer, origin: outside.origin };
  if (!yaml || valueAt(written, path) === undefined) return undefined;
  return { layer: 'file', origin: yaml.locate(path) };
}

/** Higher for stronger layers. */
export function rankOf(path: SettingPath, origins: Origins): number {
  const order: readonly Layer[] = ['default', 'file', 'env', 'flag'];
  return order.indexOf(originOf(path, origins)?.layer ?? 'default');
}

export function problemOf({ path, message, key }: Finding, origins: Origins): Problem {
  const outside = originOf(path, { ...origins, yaml: undefined });
  const { yaml, name } = origins;
  const inFile = yaml && (key ? yaml.locateKey(path) : yaml.locate(path));
  return { where: outside?.origin ?? inFile ?? name, path, message };
}
