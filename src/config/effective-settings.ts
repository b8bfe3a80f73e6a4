import { redactUrl } from '../core/redact.ts';
import { childSchema } from './coerce.ts';
import { isSection } from './layers.ts';
import type { Layer } from './layers.ts';
import { dotted } from './problem.ts';
import type { SettingPath } from './problem.ts';
import type { JsonSchema } from './schema.ts';
import type { EffectiveSetting } from './types.ts';

/** Every setting as it was written, defaults filled in, secrets hidden, in the order of the schema. */
export function effectiveSettings(
  tree: unknown,
  schema: JsonSchema,
  originOf: (path: SettingPath) => { readonly layer: Layer; readonly origin: string } | undefined,
): readonly EffectiveSetting[] {
  const walk = (value: unknown, node: JsonSchema | undefined, path: SettingPath): EffectiveSetting[] => {
    const effective = value === undefined ? node?.default : value;
    if (isSection(effective) || node?.properties) {
      const section = isSection(effective) ? effective : {};
      const keys = new Set([...Object.keys(node?.properties ?? {}), ...Object.keys(section)]);
      // Sections without a default exist only where they are set.
      if (effective === undefined && path.length > 0) return [];
      return [...keys].flatMap((key) => walk(section[key], node && childSchema(node, key), [...path, key]));
    }
    if (Array.isArray(effective) && effective.some(isSection)) {
      return effective.flatMap((item: unknown, i) => walk(item, node?.items, [...path, i]));
    }
    if (effective === undefined) return [];
    const origin = originOf(path) ?? { layer: 'default' as const, origin: 'default' };
    return [{ key: dotted(path), value: shown(effective, node), ...origin }];
  };
  return walk(tree, schema, []);
}

function shown(value: unknown, schema: JsonSchema | undefined): unknown {
  if (schema?.writeOnly === true) return '***';
  if (Array.isArray(value)) return value.map((item: unknown) => shown(item, schema?.items));
  return typeof value === 'string' ? redactUrl(value) : value;
}
