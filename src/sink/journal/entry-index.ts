import { ActionstreamError, messageOf } from '../../core/errors.ts';
import { monotonicMs } from '../../core/time.ts';
import type { StoredRecord } from '../event-sink.ts';
import { UnreadableRecords, type Damage } from './corruption.ts';
import { isShortage } from './disk-errors.ts';
import { readEntries, scanSegment, segmentPath, type PlacedEntry } from './segment.ts';

// Indexes of this many segments are kept: one a consumer, and the one being written.
const KEPT_SEGMENTS = 8;
// One read from disk stops at the first entry that brings it here, bytes.
const READ_BYTES = 4 * 1024 * 1024;
// A finished segment whose file fails to be read this long counts as damaged.
const PATIENCE_MS = 60_000;

/** Which records, and in which segment they are. */
export interface PlacedRead {
  readonly baseOffset: number;
  /** Where the next segment begins, unless this is the last one. */
  readonly endOffset?: number | undefined;
  readonly fromOffset: number;
  readonly maxRecords: number;
}

/** What is known of a segment's file. */
interface IndexedSegment {
  readonly entries: PlacedEntry[];
  damages: readonly Damage[];
  /** Scanned as a finished one: nothing can be added. */
  isComplete: boolean;
}

/** Finds records in segment files by offset; scans a file once and then only what is new in it. */
export class EntryIndex {
  readonly #dir: string;
  readonly #patienceMs: number;
  readonly #segments = new Map<number, IndexedSegment>();
  readonly #failingSinceMs = new Map<number, number>();

  constructor(dir: string, { patienceMs = PATIENCE_MS }: { readonly patienceMs?: number | undefined } = {}) {
    this.#dir = dir;
    this.#patienceMs = patienceMs;
  }

  /** Adds an entry just written, so that the file need not be scanned. */
  add(baseOffset: number, entry: PlacedEntry): void {
    const known = this.#segments.get(baseOffset);
    if (known) {
      if (endPosition(known.entries) === entry.position) known.entries.push(entry);
    } else if (entry.position === 0) {
      this.#segments.set(baseOffset, { entries: [entry], damages: [], isComplete: false });
    }
  }

  forget(baseOffset: number): void {
    this.#segments.delete(baseOffset);
    this.#failingSinceMs.delete(baseOffset);
  }

  /**
   * Records up to the end of the segment or to a damaged part; entries that are
   * still being written are not there yet.
   * @throws UnreadableRecords where the first wanted record lies in a damaged part of a finished
   *   segment, or its file could not be read for too long; else the error of the file system
   */
  async read(request: PlacedRead): Promise<readonly StoredRecord[]> {
    const { baseOffset, endOffset, fromOffset } = request;
    try {
      const records = await this.#readOnce(request).catch((error: unknown) => {
        // The file has changed since it was scanned: look again at what it holds now.
        if (endOffset === undefined || !isChanged(error)) throw error;
        this.#segments.delete(baseOffset);
        return this.#readOnce(request);
      });
      this.#failingSinceMs.delete(baseOffset);
      return records;
    } catch (error) {
      if (endOffset === undefined || !this.#isLasting(baseOffset, error)) throw error;
      const path = segmentPath(this.#dir, baseOffset);
      const why = `it has not been readable for ${Math.round(this.#patienceMs / 1000)} s (${messageOf(error)})`;
      const place = { position: 0, endPosition: 0, firstOffset: fromOffset, endOffset };
      throw new UnreadableRecords({ path, ...place, why });
    }
  }

  /** When the record was journalled, ms since 1970; undefined where the segment does not hold it. */
  async recordedAt(
    { baseOffset, endOffset }: Pick<PlacedRead, 'baseOffset' | 'endOffset'>,
    offset: number,
  ): Promise<number | undefined> {
    const { entries } = await this.#segment(baseOffset, { endOffset, upTo: offset + 1 });
    const index = entryAt(entries, offset);
    return index === undefined ? undefined : entries[index]?.recordedAtMs;
  }

  /** Offset and byte after the last whole entry of the segment that is being written. */
  async endOf(baseOffset: number): Promise<{ readonly nextOffset: number; readonly position: number }> {
    const { entries } = await this.#segment(baseOffset, { endOffset: undefined, upTo: undefined });
    return { nextOffset: endOfEntries(baseOffset, entries), position: endPosition(entries) };
  }

  async #readOnce(request: PlacedRead): Promise<readonly StoredRecord[]> {
    const { baseOffset, endOffset, fromOffset, maxRecords } = request;
    const upTo = endOffset ?? fromOffset + maxRecords;
    const { entries, damages } = await this.#segment(baseOffset, { endOffset, upTo });
    const first = entryAt(entries, fromOffset);
    if (first === undefined) {
      const damage = damages.find((part) => part.firstOffset <= fromOffset && fromOffset < part.endOffset);
      if (damage) throw new UnreadableRecords(damage);
      return [];
    }
    const end = fromOffset + maxRecords;
    const wanted = neighbours(entries, first, end);
    return readEntries(segmentPath(this.#dir, baseOffset), wanted, { from: fromOffset, end });
  }

  async #segment(
    baseOffset: number,
    { endOffset, upTo }: { readonly endOffset: number | undefined; readonly upTo: number | undefined },
  ): Promise<IndexedSegment> {
    const known = this.#segments.get(baseOffset) ?? { entries: [], damages: [], isComplete: false };
    this.#use(baseOffset, known);
    const { entries } = known;
    if (known.isComplete || (upTo !== undefined && endOfEntries(baseOffset, entries) >= upTo)) return known;
    const start = { offset: endOfEntries(baseOffset, entries), position: endPosition(entries), endOffset };
    const scan = await scanSegment(segmentPath(this.#dir, baseOffset), start);
    // Somebody else may have scanned or added in the meantime.
    const end = endOfEntries(baseOffset, entries);
    entries.push(...scan.entries.filter(({ firstOffset }) => firstOffset >= end));
    if (endOffset !== undefined) {
      known.damages = scan.damages;
      known.isComplete = true;
    }
    return known;
  }

  /** Insertion order serves as order of use. */
  #use(baseOffset: number, segment: IndexedSegment): void {
    this.#segments.delete(baseOffset);
    this.#segments.set(baseOffset, segment);
    for (const key of this.#segments.keys()) {
      if (this.#segments.size <= KEPT_SEGMENTS) break;
      this.#segments.delete(key);
    }
  }

  #isLasting(baseOffset: number, error: unknown): boolean {
    if (error instanceof ActionstreamError || isShortage(error)) return false;
    const since = this.#failingSinceMs.get(baseOffset) ?? monotonicMs();
    this.#failingSinceMs.set(baseOffset, since);
    return monotonicMs() - since >= this.#patienceMs;
  }
}

function isChanged(error: unknown): boolean {
  return (
    error instanceof ActionstreamError &&
    error.code === 'JOURNAL_CORRUPT' &&
    !(error instanceof UnreadableRecords)
  );
}

/** Entries from `first` on that lie side by side in the file, up to `endOffset` or the size of one read. */
function neighbours(
  entries: readonly PlacedEntry[],
  first: number,
  endOffset: number,
): readonly PlacedEntry[] {
  const wanted: PlacedEntry[] = [];
  let bytes = 0;
  for (let index = first; index < entries.length; index++) {
    const entry = entries[index];
    const previous = wanted.at(-1);
    if (!entry || (previous && !follows(previous, entry))) break;
    wanted.push(entry);
    bytes += entry.length;
    if (bytes >= READ_BYTES || entry.firstOffset + entry.count >= endOffset) break;
  }
  return wanted;
}

function follows(previous: PlacedEntry, next: PlacedEntry): boolean {
  return (
    next.position === previous.position + previous.length &&
    next.firstOffset === previous.firstOffset + previous.count
  );
}

/** Index of the entry that holds `offset`, by bisection. */
function entryAt(entries: readonly PlacedEntry[], offset: number): number | undefined {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle];
    if (entry && entry.firstOffset + entry.count <= offset) low = middle + 1;
    else high = middle;
  }
  const found = entries[low];
  return found && found.firstOffset <= offset ? low : undefined;
}

function endOfEntries(baseOffset: number, entries: readonly PlacedEntry[]): number {
  const last = entries.at(-1);
  return last ? last.firstOffset + last.count : baseOffset;
}

function endPosition(entries: readonly PlacedEntry[]): number {
  const last = entries.at(-1);
  return last ? last.position + last.length : 0;
}
