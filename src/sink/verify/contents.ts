import type { PublishedRecord } from '../../core/records.ts';

type Payload = PublishedRecord['payload'];

/**
 * What must be equal in every copy of a record, as text. A live record is written once, so all of it. A file may be run
 * again and then gives the same records, measured anew: timings and the version of the program are left out.
 */
export function contentsOf(payload: Payload, recordedAtMs: number): string {
  return isRepeatable(payload)
    ? JSON.stringify(withoutTimings(payload))
    : `${recordedAtMs} ${JSON.stringify(payload)}`;
}

/** Does another run of the same file publish the same record? A status says when it came about, so it is unique. */
export function isRepeatable(payload: Payload): boolean {
  return 'run_id' in payload && !('status_id' in payload);
}

/** The payload of an event or of clip statistics, without what differs between two runs of a file. */
export function withoutTimings(payload: Payload): object {
  const { pipeline, ...rest } = payload;
  const time = 'time' in rest ? { time: { ...rest.time, ingested_at: '', processed_at: '' } } : {};
  const compute = 'compute' in rest ? { compute: { ...rest.compute, latency_ms: {} } } : {};
  return { ...rest, ...time, ...compute, pipeline: { ...pipeline, version: '' } };
}

const LISTED_FIELDS = 4;

/** Where two payloads or rows differ, for people: `label is "a", not "b"; score.peak is 1, not 0.9`. */
export function describeDifferences(actual: unknown, expected: unknown): string {
  const found = differencesOf(actual, expected, '');
  const rest = found.length > LISTED_FIELDS ? ` and ${found.length - LISTED_FIELDS} more` : '';
  return found.slice(0, LISTED_FIELDS).join('; ') + rest;
}

function differencesOf(actual: unknown, expected: unknown, place: string): readonly string[] {
  if (isObject(actual) && isObject(expected)) {
    const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return [...names].flatMap((name) =>
      differencesOf(actual[name], expected[name], place === '' ? name : `${place}.${name}`),
    );
  }
  const [is, should] = [show(actual), show(expected)];
  return is === should ? [] : [`${place === '' ? 'value' : place} is ${is}, not ${should}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function show(value: unknown): string {
  if (value === undefined || value === null) return 'absent';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
