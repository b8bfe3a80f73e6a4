import type { Finding } from './explain-issues.ts';
import { valueAt } from './layers.ts';
import type { Layer, Override } from './layers.ts';
import type { Problem, SettingPath } from './problem.ts';
import type { MergedStream } from './stored-streams.ts';
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
  /** Where the streams come from, as changed while the program ran; absent: all are as written. */
  readonly stored?: { readonly name: string; readonly places: readonly MergedStream[] };
}

/** The strongest layer that sets a value or something around it; undefined for a default. */
export function originOf(
  path: SettingPath,
  origins: Origins,
): { readonly layer: Layer; readonly origin: string } | undefined {
  const place = placeOf(path, origins);
  if (place.changed) return { layer: 'api', origin: place.changed };
  return writtenOriginOf(place.path, origins);
}

function writtenOriginOf(path: SettingPath, { layers, yaml, written }: Origins): ReturnType<typeof originOf> {
  const outside = layers.findLast((override) => override.path.every((key, i) => key === path[i]));
  if (outside) return { layer: outside.layer, origin: outside.origin };
  if (!yaml || valueAt(written, path) === undefined) return undefined;
  return { layer: 'file', origin: yaml.locate(path) };
}

/** Higher for stronger layers. */
export function rankOf(path: SettingPath, origins: Origins): number {
  const order: readonly Layer[] = ['default', 'file', 'env', 'flag', 'api'];
  return order.indexOf(originOf(path, origins)?.layer ?? 'default');
}

export function problemOf({ path, message, key }: Finding, origins: Origins): Problem {
  const place = placeOf(path, origins);
  if (place.changed) return { where: place.changed, path, message };
  const outside = writtenOriginOf(place.path, { ...origins, yaml: undefined });
  const { yaml, name } = origins;
  const inFile = yaml && (key ? yaml.locateKey(place.path) : yaml.locate(place.path));
  return { where: outside?.origin ?? inFile ?? name, path, message };
}

/** A path among the merged streams as it stands in the file; `changed` names the store that set the value. */
function placeOf(
  path: SettingPath,
  { stored }: Origins,
): { readonly path: SettingPath; readonly changed?: string } {
  const [top, position, ...rest] = path;
  if (!stored || top !== 'streams' || typeof position !== 'number') return { path };
  const { position: written, changes } = stored.places[position] ?? {};
  const isChanged = written === undefined || (rest.length > 0 && valueAt(changes, rest) !== undefined);
  if (isChanged && rest.at(-1) !== 'id') return { path, changed: stored.name };
  return written === undefined ? { path, changed: stored.name } : { path: [top, written, ...rest] };
}
