import { v5 as uuidV5 } from 'uuid';

/** Never to be changed: ids of runs already published depend on it. */
const NAMESPACE = '0b1c3f3e-57a2-4e0c-9a43-6c1f6f7f2f5d';

/** What decides the results of a file, and nothing else: not where it lies, when it runs or how fast. */
export interface RunIdentity {
  /** Digest of the recording's content. */
  readonly recording: string;
  readonly streamId: string;
  /** Model and settings, as plain data; the order of keys does not matter, nor do keys without a value. */
  readonly settings: object;
}

/** UUIDv5 of what decides the results of a file: equal input gives the same id on every machine. */
export function runIdOf({ recording, streamId, settings }: RunIdentity): string {
  return uuidV5(JSON.stringify([recording, streamId, sorted(settings)]), NAMESPACE);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, entry]) => [key, sorted(entry)]));
}
