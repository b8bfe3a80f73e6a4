import { ActionstreamError } from '../core/errors.ts';
import { parseDuration } from '../core/time.ts';

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** A point in time: RFC 3339 with its zone, or a duration ago. Nothing else is guessed. @throws USAGE */
export function instantOf(text: string, flag: string): Date {
  const ago = parseDuration(text);
  if (ago !== undefined) return new Date(Date.now() - ago);
  const [, year, month, day] = RFC_3339.exec(text) ?? [];
  const instant = new Date(text.replace(' ', 'T'));
  if (
    day !== undefined &&
    !Number.isNaN(instant.getTime()) &&
    isDay(Number(year), Number(month), Number(day))
  )
    return instant;
  throw new ActionstreamError(
    'USAGE',
    `${flag} "${text}" is no time; expected RFC 3339 such as 2026-11-22T10:15:03Z, or a duration ago such as 2h`,
  );
}

/** @throws USAGE */
export function durationOf(text: string, flag: string): number {
  const duration = parseDuration(text);
  if (duration === undefined) {
    throw new ActionstreamError('USAGE', `${flag} "${text}" is no duration; expected e.g. 500ms, 3s or 2h`);
  }
  return duration;
}

/** 30 February is a day for `Date`. */
function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
