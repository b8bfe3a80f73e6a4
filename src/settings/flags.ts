import { z } from 'zod';
import { bareField } from './inner-names.ts';

/** How a setting is given on the command line. */
export interface FlagNote {
  /** `--noise-floor <n>`; `--no-…` for what is on without it. */
  readonly flag: string;
  /** The same under another name. */
  readonly alias?: string;
  /** The command takes any text, and who uses the setting names what it takes. */
  readonly unchecked?: true;
}

const FLAGS = z.registry<FlagNote>();

/** Lets a setting be given as a flag as well. Help, parser and documents come from the field. */
export function asFlag<T extends z.ZodType>(field: T, flag: string, more: Omit<FlagNote, 'flag'> = {}): T {
  FLAGS.add(field, { flag, ...more });
  return field;
}

export interface SettingFlag extends FlagNote {
  /** From the top of the file down: `['sampler', 'noise_floor']`. */
  readonly path: readonly string[];
  /** Without default. */
  readonly field: z.ZodType;
  /** As it stands in the file. */
  readonly fallback?: unknown;
}

/** All flags of a section and those inside it, in its order. Lists have none: a flag sets one value. */
export function settingFlags(schema: z.ZodType, path: readonly string[] = []): readonly SettingFlag[] {
  const field = bareField(schema);
  const note = FLAGS.get(field);
  if (note) {
    const fallback = (z.toJSONSchema(schema, { io: 'input' }) as { default?: unknown }).default;
    return [{ ...note, path, field, ...(fallback !== undefined && { fallback }) }];
  }
  const section = field instanceof z.ZodPipe ? field.in : field;
  if (!(section instanceof z.ZodObject)) return [];
  return Object.entries(section.shape as z.ZodRawShape).flatMap(([key, child]) =>
    settingFlags(child as z.ZodType, [...path, key]),
  );
}
