import { z } from 'zod';

/**
 * A setting has one name. In files and variables it is snake_case; in code the
 * same in camelCase, with its unit at the end: `noise_floor` is `noiseFloor`,
 * `connection_timeout` is `connectionTimeoutMs`, `max_size` is `maxBytes`.
 */
export type InnerSection<T> = {
  readonly [K in keyof T as InnerKey<K, NonNullable<T[K]>>]: Exclude<T[K], undefined>;
};

type InnerKey<K, Value> = K extends string
  ? Value extends Milliseconds
    ? `${Camel<K>}Ms`
    : Value extends Bytes
      ? `${Camel<WithoutSize<K>>}Bytes`
      : Camel<K>
  : never;

type Camel<K extends string> = K extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : K;
type WithoutSize<K extends string> = K extends `${infer Head}_size` ? Head : K;

declare const UNIT: unique symbol;
/** A length of time, or an instant since 1970. */
export type Milliseconds = number & { readonly [UNIT]: 'Ms' };
export type Bytes = number & { readonly [UNIT]: 'Bytes' };

const UNITS = z.registry<{ readonly unit: 'Ms' | 'Bytes' }>();

/** Notes what the numbers of a field count. */
export function ofUnit<T extends z.ZodType>(unit: 'Ms' | 'Bytes', field: T): T {
  UNITS.add(field, { unit });
  return field;
}

/** The inner name of each key of a section. */
export function innerKeys(shape: z.ZodRawShape): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(shape).map(([key, field]) => {
      const unit = UNITS.get(bareField(field as z.ZodType))?.unit ?? '';
      return [key, innerName(unit === 'Bytes' ? key.replace(/_size$/, '') : key) + unit];
    }),
  );
}

/** `noise_floor` → `noiseFloor`. */
export function innerName<K extends string>(key: K): Camel<K> {
  return key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) as Camel<K>;
}

/** A field without its default, and whether or not it may be left out. */
export function bareField(field: z.ZodType): z.ZodType {
  if (field instanceof z.ZodDefault || field instanceof z.ZodPrefault || field instanceof z.ZodOptional) {
    return bareField(field.unwrap() as z.ZodType);
  }
  return field;
}
