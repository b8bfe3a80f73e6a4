import { isGroup, type Fields } from '../../core/fields.ts';
import { RECORD_KINDS } from '../../core/record-fields.ts';
import type { PublishedRecord } from '../../core/records.ts';

/**
 * What must be equal in every copy of a record, as text. A live record is
 * written once, so all of it. A file may be run again and then gives the same
 * records, measured anew: timings and the version of the program are left out.
 */
export function contentsOf({ type, payload }: PublishedRecord, recordedAtMs: number): string {
  return isRepeatable(payload)
    ? JSON.stringify(withoutRunFields(payload, RECORD_KINDS[type].fields))
    : `${recordedAtMs} ${JSON.stringify(payload)}`;
}

/** Equal as JSON; what is null or left out is absent. */
export function isSame(actual: unknown, expected: unknown): boolean {
  if (actual === expected) return true;
  if (!isObject(actual) || !isObject(expected))
    return isAbsent(actual) ? isAbsent(expected) : Object.is(actual, expected);
  for (const name of Object.keys(expected)) if (!isSame(own(actual, name), expected[name])) return false;
  return Object.keys(actual).every((name) => Object.hasOwn(expected, name) || isAbsent(actual[name]));
}

/**
 * Does another run of the same file publish the same record? A status says when
 * it came about, so it is unique.
 */
export function isRepeatable(payload: PublishedRecord['payload']): boolean {
  return 'run_id' in payload && !('status_id' in payload);
}

/** Whatever a message holds: fields that are not ours stay. */
function withoutRunFields(payload: object, fields: Fields): object {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(payload)) {
    const field = fields[name];
    if (field && isGroup(field))
      kept[name] = isObject(value) ? withoutRunFields(value, field.members) : value;
    else if (field?.isPerRun !== true) kept[name] = value;
  }
  return kept;
}

const LISTED_FIELDS = 4;

/** Where two payloads or rows differ, for people: `label is "a", not "b"; score.peak is 1, not 0.9`. */
export function describeDifferences(actual: unknown, expected: unknown): string {
  if (isSame(actual, expected)) return '';
  const found = differencesOf(actual, expected, '');
  const rest = found.length > LISTED_FIELDS ? ` and ${found.length - LISTED_FIELDS} more` : '';
  return found.slice(0, LISTED_FIELDS).join('; ') + rest;
}

function differencesOf(actual: unknown, expected: unknown, place: string): readonly string[] {
  if (isObject(actual) && isObject(expected)) {
    const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return [...names].flatMap((name) =>
      differencesOf(own(actual, name), own(expected, name), place === '' ? name : `${place}.${name}`),
    );
  }
  if (isSame(actual, expected)) return [];
  return [`${place === '' ? 'value' : place} is ${show(actual)}, not ${show(expected)}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A field may be called `toString`. */
function own(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function show(value: unknown): string {
  if (isAbsent(value)) return 'absent';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
