import { ActionstreamError } from '../core/errors.ts';
import { parseDuration, parseInstant } from '../core/time.ts';
import { InvalidArgumentError } from 'commander';

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text.trim()) || !Number.isSafeInteger(value) || value < 1)
    throw invalid('a whole number of 1 or more');
  return value;
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text.trim()) || !Number.isSafeInteger(value))
    throw invalid('a whole number of 0 or more');
  return value;
}

export function positiveNumber(text: string): number {
  const value = decimal(text);
  if (!(value > 0) || !Number.isFinite(value)) throw invalid('a number above 0');
  return value;
}

export function nonNegativeNumber(text: string): number {
  const value = decimal(text);
  if (!(value >= 0) || !Number.isFinite(value)) throw invalid('a number of 0 or more');
  return value;
}

/** JavaScript's own reading takes nothing for 0, and `0x10` for 16. */
function decimal(text: string): number {
  return /^\d*\.?\d+(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
}

/**
 * RFC 3339, or a duration ago. Nothing else is guessed: a local time or a date alone means different
 * instants to different people.
 */
export function instant(text: string): Date {
  const ago = parseDuration(text);
  const ms = ago === undefined ? parseInstant(text) : Date.now() - ago;
  if (ms === undefined) throw invalid('a time such as 2026-11-22T10:15:00Z, or a duration ago such as 2h');
  return new Date(ms);
}

export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw invalid('a duration such as 500ms, 3s, 2h or 30d');
  return ms;
}

/** Above 0, at most 1. */
export function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw invalid('a number above 0 and at most 1');
  return value;
}

/** Of an option that may be given several times. */
export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

/** Commander puts the option and what was given before this. */
function invalid(wanted: string): InvalidArgumentError {
  return new InvalidArgumentError(`Expected ${wanted}.`);
}

/** `--since` and `--until` as a range. @throws USAGE where nothing lies between them */
export function timeRangeOf({ since, until }: { readonly since?: Date; readonly until?: Date }): {
  readonly since?: Date;
  readonly until?: Date;
} {
  if (since && until && since >= until)
    throw new ActionstreamError('USAGE', '--since must be before --until: nothing lies between them');
  return { ...(since && { since }), ...(until && { until }) };
}
