import { z } from 'zod';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import { isSection } from './layers.ts';

/** Settings of a stream as a person writes them: keys of the configuration file. */
export type WrittenStream = Readonly<Record<string, unknown>> & { readonly id: string };

/**
 * What was changed while the program ran, over the streams of the configuration file. It is kept beside the
 * journal (ADR 0040). A stream of the file keeps its settings there; only what was changed is kept here.
 */
export interface StoredStreams {
  /** Whole streams. One of the file with the same id is not used. */
  readonly added: readonly WrittenStream[];
  /** Settings over those of the file; null takes one away. Without such a stream they mean nothing. */
  readonly changed: readonly WrittenStream[];
  /** Streams of the file that are not used. */
  readonly removed: readonly string[];
}

export const NOTHING_STORED: StoredStreams = { added: [], changed: [], removed: [] };

const written = z.looseObject({ id: z.string() });
const storedSchema = z.strictObject({
  version: z.literal(1),
  added: z.array(written),
  changed: z.array(written),
  removed: z.array(z.string()),
});

/** @throws CONFIG_INVALID naming the file */
export function parseStored(text: string, path: string): StoredStreams {
  try {
    const { added, changed, removed } = storedSchema.parse(JSON.parse(text));
    return { added, changed, removed };
  } catch (error) {
    const why =
      error instanceof z.ZodError
        ? error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
        : messageOf(error);
    const remedy = 'mend it, or move it away to have the streams of the configuration file only';
    throw new ActionstreamError('CONFIG_INVALID', `${path}: holds no changed streams: ${why}; ${remedy}`);
  }
}

export function renderStored(stored: StoredStreams): string {
  return `${JSON.stringify({ version: 1, ...stored }, undefined, 2)}\n`;
}

export function withAdded(stored: StoredStreams, stream: WrittenStream): StoredStreams {
  return {
    added: [...without(stored.added, stream.id), stream],
    changed: without(stored.changed, stream.id),
    removed: stored.removed.filter((id) => id !== stream.id),
  };
}

/** @param patch a JSON merge patch (RFC 7396): null takes a setting away */
export function withChanged(stored: StoredStreams, id: string, patch: object): StoredStreams {
  const place = stored.added.some((stream) => stream.id === id) ? 'added' : 'changed';
  const before = stored[place].find((stream) => stream.id === id) ?? { id };
  const merged = place === 'added' ? patched(before, patch) : composed(before, patch);
  const after = { ...(merged as object), id };
  const isThere = stored[place].some((stream) => stream.id === id);
  const others = stored[place].map((stream) => (stream.id === id ? after : stream));
  return { ...stored, [place]: isThere ? others : [...others, after] };
}

/** @param isWritten the configuration file holds a stream of that id */
export function withRemoved(stored: StoredStreams, id: string, isWritten: boolean): StoredStreams {
  const removed = stored.removed.filter((other) => other !== id);
  return {
    added: without(stored.added, id),
    changed: without(stored.changed, id),
    removed: isWritten ? [...removed, id] : removed,
  };
}

function without(streams: readonly WrittenStream[], id: string): readonly WrittenStream[] {
  return streams.filter((stream) => stream.id !== id);
}

/** One stream of a merged list: where it stands in the file, and what was changed of it. */
export interface MergedStream {
  /** Position in the file's list; undefined for an added one. */
  readonly position?: number;
  readonly changes?: WrittenStream;
}

/**
 * The streams of a file with the stored changes over them. Added ones come last.
 * @param streams the file's list; anything else is left as it is
 */
export function mergeStored(
  streams: unknown,
  stored: StoredStreams,
): { readonly streams: unknown; readonly places: readonly MergedStream[] } {
  const list: readonly unknown[] = Array.isArray(streams) ? streams : [];
  if (!Array.isArray(streams) && (streams !== undefined || stored.added.length === 0))
    return { streams, places: [] };
  const hidden = new Set([...stored.removed, ...stored.added.map(({ id }) => id)]);
  const kept = list.flatMap((stream, position) => {
    const id = idOf(stream);
    if (id !== undefined && hidden.has(id)) return [];
    const changes = stored.changed.find((change) => change.id === id);
    if (!changes) return [{ stream, place: { position } }];
    return [{ stream: patched(stream, changes), place: { position, changes } }];
  });
  const added = stored.added.map((stream) => ({ stream, place: { changes: stream } }));
  const all = [...kept, ...added];
  return { streams: all.map(({ stream }) => stream), places: all.map(({ place }) => place) };
}

/** Ids of the file's list. */
export function writtenIds(streams: unknown): readonly string[] {
  return Array.isArray(streams) ? streams.flatMap((stream) => idOf(stream) ?? []) : [];
}

function idOf(stream: unknown): string | undefined {
  return isSection(stream) && typeof stream['id'] === 'string' ? stream['id'] : undefined;
}

/** RFC 7396. */
function patched(target: unknown, patch: unknown): unknown {
  if (!isSection(patch)) return patch;
  const before = isSection(target) ? target : {};
  const kept = Object.entries(before).filter(([key]) => !Object.hasOwn(patch, key));
  const set = Object.entries(patch).flatMap(([key, value]) =>
    value === null ? [] : [[key, patched(own(before, key), value)] as const],
  );
  return Object.fromEntries([...kept, ...set]);
}

/** Two patches as one: what the newer one takes away stays taken away. */
function composed(older: unknown, newer: unknown): unknown {
  if (!isSection(older) || !isSection(newer)) return newer;
  const entries = Object.entries(newer).map(
    ([key, value]) => [key, composed(own(older, key), value)] as const,
  );
  return { ...older, ...Object.fromEntries(entries) };
}

function own(section: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(section, key) ? section[key] : undefined;
}
