import { isSection } from './layers.ts';
import type { JsonSchema } from './schema.ts';

/**
 * Values as the schema wants them, where the environment could only give text: `"25"`
 * → 25, `"true"` → true, `"a, b"` → a list. Also the one trap of YAML in our keys:
 * `kind: null` names the null engine. What does not fit is left for validation.
 */
export function coerce(value: unknown, schema: JsonSchema | undefined): unknown {
  if (schema === undefined) return value;
  if (isSection(value)) {
    const keys = Object.entries(value).map(([key, item]) => [key, coerce(item, childSchema(schema, key))]);
    return Object.fromEntries(keys) as unknown;
  }
  if (schema.type === 'array') {
    const items: unknown = typeof value === 'string' ? splitList(value) : value;
    return Array.isArray(items) ? items.map((item: unknown) => coerce(item, schema.items)) : items;
  }
  if (value === null) return schema.enum?.includes('null') ? 'null' : sectionInsteadOfNothing(schema);
  return typeof value === 'string' ? scalar(value, schema.type) : value;
}

/** The schema of a key of a section: its own, or that of all keys where they are free (labels). */
export function childSchema(schema: JsonSchema, key: string | number): JsonSchema | undefined {
  if (typeof key === 'number') return schema.items;
  if (schema.properties && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

function scalar(text: string, type: string | undefined): unknown {
  if ((type === 'number' || type === 'integer') && text.trim() !== '') {
    const number = Number(text);
    return Number.isFinite(number) ? number : text;
  }
  if (type === 'boolean' && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return text;
}

function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** `ndjson:` with nothing behind it asks for a sink with its defaults. */
function sectionInsteadOfNothing(schema: JsonSchema): unknown {
  return schema.type === 'object' ? {} : null;
}
