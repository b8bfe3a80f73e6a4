import type { z } from 'zod';
import { childSchema } from './coerce.ts';
import { valueAt } from './layers.ts';
import type { SettingPath } from './problem.ts';
import type { JsonSchema } from './schema.ts';
import { didYouMean } from './suggest.ts';

/** What is wrong with a value or, where `key` is set, with the key at the end of the path. */
export interface Finding {
  readonly path: SettingPath;
  readonly message: string;
  readonly key?: true;
}

export type Report = (finding: Finding) => void;

/** Zod's issues in words: what was expected, what was found, and what was probably meant. */
export function explainIssues(
  issues: readonly z.core.$ZodIssue[],
  tree: unknown,
  schema: JsonSchema,
): readonly Finding[] {
  return issues.flatMap((issue): readonly Finding[] => {
    const path = issue.path as SettingPath;
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownKey([...path, key], schemaAt(schema, path)));
    }
    const value = valueAt(tree, path);
    if (value === undefined) return [{ path, message: `is missing; ${issue.message}` }];
    return [{ path, message: `${issue.message}${found(value, schemaAt(schema, path))}` }];
  });
}

function unknownKey(path: SettingPath, section: JsonSchema | undefined): Finding {
  const known = Object.keys(section?.properties ?? {});
  const hint = didYouMean(String(path.at(-1)), known) || `; known here: ${known.join(', ')}`;
  return { path, message: `unknown key${hint}`, key: true };
}

/** `, not "fast"`; secrets are not repeated. */
function found(value: unknown, schema: JsonSchema | undefined): string {
  if (Array.isArray(value)) return value.length === 0 ? ', not an empty list' : ', not a list';
  if (typeof value === 'object' && value !== null) return ', not a section';
  const quotes =
    isPlainText(schema) && typeof value !== 'string' && value !== null ? '; put it in quotes' : '';
  if (schema?.writeOnly === true) return quotes;
  const meant = typeof value === 'string' ? didYouMean(value, schema?.enum ?? []) : '';
  return `, not ${JSON.stringify(value)}${meant}${quotes}`;
}

/** Where YAML takes an unquoted value for a number or a truth. */
function isPlainText(schema: JsonSchema | undefined): boolean {
  return schema?.type === 'string' && schema.enum === undefined && schema.pattern === undefined;
}

export function schemaAt(schema: JsonSchema, path: SettingPath): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>((node, key) => node && childSchema(node, key), schema);
}
