import { z } from 'zod';
import { parseDuration } from '../core/time.ts';
import {
  bareField,
  innerKeys,
  ofUnit,
  type Bytes,
  type InnerSection,
  type Milliseconds,
} from './inner-names.ts';
import { parseSize } from './parse-size.ts';

/**
 * The kinds of value that settings are made of. Each says in one phrase what it
 * expects: the same phrase in error messages, in docs/config.md and in the JSON Schema.
 * Lengths of time and sizes are text with a unit in, milliseconds and bytes out.
 */
export function text(meaning: string) {
  const error = 'expected text';
  return z
    .string({ error })
    .min(1, { error: 'expected text that is not empty' })
    .meta({ description: meaning });
}

/** Never shown: neither by `config print` nor in an error. `writeOnly` is JSON Schema's word for it. */
export function secret(meaning: string) {
  return text(meaning).meta({ description: meaning, writeOnly: true });
}

export function flag(meaning: string) {
  return z.boolean({ error: 'expected true or false' }).meta({ description: meaning });
}

export function choice<const T extends readonly [string, ...string[]]>(values: T, meaning: string) {
  return z.enum(values, { error: `expected one of ${values.join(', ')}` }).meta({ description: meaning });
}

export function wholeFrom(least: number, meaning: string) {
  const error = `expected a whole number of ${least} or more`;
  return z.number({ error }).int({ error }).min(least, { error }).meta({ description: meaning });
}

export function wholeBetween([least, most]: readonly [number, number], meaning: string) {
  const error = `expected a whole number from ${least} to ${most}`;
  return z
    .number({ error })
    .int({ error })
    .min(least, { error })
    .max(most, { error })
    .meta({ description: meaning });
}

export function positive(meaning: string) {
  const error = 'expected a number above 0';
  return z.number({ error }).gt(0, { error }).meta({ description: meaning });
}

/** Above 0. */
export function upTo(most: number, meaning: string) {
  const error = `expected a number above 0 and at most ${most}`;
  return z.number({ error }).gt(0, { error }).max(most, { error }).meta({ description: meaning });
}

export function notNegative(meaning: string) {
  const error = 'expected a number of 0 or more';
  return z.number({ error }).min(0, { error }).meta({ description: meaning });
}

export function fromOne(meaning: string) {
  const error = 'expected a number of 1 or more';
  return z.number({ error }).min(1, { error }).meta({ description: meaning });
}

/** From 0 to 1. */
export function fraction(meaning: string) {
  const error = 'expected a number from 0 to 1';
  return z.number({ error }).min(0, { error }).max(1, { error }).meta({ description: meaning });
}

/** A number in between, the ends included. */
export function between([least, most]: readonly [number, number], meaning: string) {
  const error = `expected a number from ${least} to ${most}`;
  return z.number({ error }).min(least, { error }).max(most, { error }).meta({ description: meaning });
}

/** Text with a percent sign in, at most 100; a share from 0 to 1 out. */
export function percentage(meaning: string) {
  const error = 'expected a percentage from 0% to 100%, such as 1% or 0.5%';
  return z
    .string({ error })
    .regex(/^\s*\d{1,3}(\.\d{1,6})?\s*%\s*$/, { error, abort: true })
    .refine((value) => parseFloat(value) <= 100, { error })
    .meta({ description: meaning })
    .transform((value) => parseFloat(value) / 100);
}

/** Above 0 and at most 1. */
export function weight(meaning: string) {
  const error = 'expected a number above 0 and at most 1';
  return z.number({ error }).gt(0, { error }).max(1, { error }).meta({ description: meaning });
}

const DURATION = /^\s*\d{1,9}(\.\d+)?\s*(ms|s|m|h|d)\s*$/;

export function duration(meaning: string) {
  const error = 'expected a length of time such as 500ms, 30s, 5m, 2h or 7d';
  return ofUnit(
    'Ms',
    z
      .string({ error })
      .regex(DURATION, { error })
      .meta({ description: meaning })
      .transform((value) => (parseDuration(value) ?? Number.NaN) as Milliseconds),
  );
}

/** A length of time that is waited: 0 would not wait at all, and Node's timers end at once beyond 24 days. */
export function wait(least: '0s' | '100ms', meaning: string) {
  const error = `expected a length of time from ${least} to 24d, such as 500ms, 30s or 5m`;
  const [leastMs, mostMs] = [parseDuration(least) ?? 0, parseDuration('24d') ?? 0];
  return ofUnit(
    'Ms',
    z
      .string({ error })
      .regex(DURATION, { error, abort: true })
      .refine((value) => isBetween(parseDuration(value), leastMs, mostMs), { error })
      .meta({ description: meaning })
      .transform((value) => (parseDuration(value) ?? Number.NaN) as Milliseconds),
  );
}

export function size([least, most]: readonly [string, string], meaning: string) {
  const error = `expected a size from ${least} to ${most}, such as 512KiB, 256MiB or 4GiB`;
  const [leastBytes, mostBytes] = [parseSize(least) ?? 0, parseSize(most) ?? 0];
  return ofUnit(
    'Bytes',
    z
      .string({ error })
      .regex(/^\s*\d{1,15}(\.\d+)?\s*[KMGT]?i?B\s*$/, { error, abort: true })
      .refine((value) => isBetween(parseSize(value), leastBytes, mostBytes), { error })
      .meta({ description: meaning })
      .transform((value) => (parseSize(value) ?? Number.NaN) as Bytes),
  );
}

function isBetween(value: number | undefined, least: number, most: number): boolean {
  return value !== undefined && value >= least && value <= most;
}

/** An instant, RFC 3339; milliseconds since 1970 out. */
export function instant(meaning: string) {
  const error = 'expected a time such as 2026-11-22T10:15:00Z';
  return ofUnit(
    'Ms',
    z.iso
      .datetime({ offset: true, error })
      .meta({ description: meaning })
      .transform((value) => Date.parse(value) as Milliseconds),
  );
}

export function list<T extends z.ZodType>(item: T, meaning: string) {
  return z.array(item, { error: 'expected a list' }).meta({ description: meaning });
}

/**
 * Settings of their own, under their inner names once parsed; keys that `shape` does not name are refused.
 */
export function section<T extends z.ZodRawShape>(shape: T, meaning: string) {
  const keys = innerKeys(shape);
  return z
    .strictObject(shape, { error: sectionError })
    .meta({ description: meaning })
    .transform((settings) => withKeys(settings, keys) as InnerSection<typeof settings>);
}

/** What is not set is left out, so that a spread does not overwrite with nothing. */
function withKeys(settings: object, keys: ReadonlyMap<string, string>): object {
  const set = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set.map(([key, value]) => [keys.get(key) ?? key, value as unknown]));
}

/** The same settings without their defaults: what a stream or label leaves out is taken from elsewhere. */
export function overrides<T extends z.ZodRawShape>(shape: T) {
  const entries = Object.entries(shape).map(([key, field]) => [
    key,
    bareField(field as z.ZodType).optional(),
  ]);
  return Object.fromEntries(entries) as { [K in keyof T]: z.ZodOptional<Bare<T[K]>> };
}

type Bare<T> =
  T extends z.ZodDefault<infer U>
    ? U
    : T extends z.ZodPrefault<infer U>
      ? U
      : T extends z.ZodOptional<infer U>
        ? U
        : T;

/** Unknown keys keep zod's own issue, which lists them. */
function sectionError(issue: { readonly code?: string | undefined }): string | undefined {
  return issue.code === 'unrecognized_keys' ? undefined : 'expected settings (key: value)';
}
