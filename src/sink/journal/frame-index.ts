import { ActionstreamError, messageOf } from '../../core/errors.ts';
import { monotonicMs } from '../../core/time.ts';
import type { StoredRecord } from '../event-sink.ts';
import { UnreadableRecords, type Damage } from './corruption.ts';
import { isShortage } from './disk-errors.ts';
import { readFrames, scanSegment, segmentPath, type PlacedFrame } from './segment.ts';

// Indexes of this many segments are kept: one a consumer, and the one being written.
const KEPT_SEGMENTS = 8;
// One read from disk stops at the first frame that brings it here, bytes.
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
  readonly frames: PlacedFrame[];
  damages: readonly Damage[];
  /** Scanned as a finished one: nothing can be added. */
  isComplete: boolean;
}

/** Finds records in segment files by offset; scans a file once and then only what is new in it. */
export class FrameIndex {
  readonly #dir: string;
  readonly #patienceMs: number;
  readonly #segments = new Map<number, IndexedSegment>();
  readonly #failingSinceMs = new Map<number, number>();

  constructor(dir: string, { patienceMs = PATIENCE_MS }: { readonly patienceMs?: number | undefined } = {}) {
    this.#dir = dir;
    this.#patienceMs = patienceMs;
  }

  /** Adds a frame just written, so that the file need not be scanned. */
  add(baseOffset: number, frame: PlacedFrame): void {
    const known = this.#segments.get(baseOffset);
    if (known) {
      if (endPosition(known.frames) === frame.position) known.frames.push(frame);
    } else if (frame.position === 0) {
      this.#segments.set(baseOffset, { frames: [frame], damages: [], isComplete: false });
    }
  }

  forget(baseOffset: number): void {
    this.#segments.delete(baseOffset);
    this.#failingSinceMs.delete(baseOffset);
  }

  /**
   * Records up to the end of the segment or to a damaged part; frames that are still being written are not there yet.
   * @throws UnreadableRecords where the first wanted record lies in a damaged part of a finished segment, or its file
   * could not be read for too long; else the error of the file system
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
    const { frames } = await this.#segment(baseOffset, { endOffset, upTo: offset + 1 });
    const index = frameAt(frames, offset);
    return index === undefined ? undefined : frames[index]?.recordedAtMs;
  }

  /** Offset and byte after the last whole frame of the segment that is being written. */
  async endOf(baseOffset: number): Promise<{ readonly nextOffset: number; readonly position: number }> {
    const { frames } = await this.#segment(baseOffset, { endOffset: undefined, upTo: undefined });
    return { nextOffset: endOfFrames(baseOffset, frames), position: endPosition(frames) };
  }

  async #readOnce(request: PlacedRead): Promise<readonly StoredRecord[]> {
    const { baseOffset, endOffset, fromOffset, maxRecords } = request;
    const upTo = endOffset ?? fromOffset + maxRecords;
    const { frames, damages } = await this.#segment(baseOffset, { endOffset, upTo });
    const first = frameAt(frames, fromOffset);
    if (first === undefined) {
      const damage = damages.find((part) => part.firstOffset <= fromOffset && fromOffset < part.endOffset);
      if (damage) throw new UnreadableRecords(damage);
      return [];
    }
    const wanted = neighbours(frames, first, fromOffset + maxRecords);
    const records = await readFrames(segmentPath(this.#dir, baseOffset), wanted);
    return records.filter(({ offset }) => offset >= fromOffset && offset < fromOffset + maxRecords);
  }

  async #segment(
    baseOffset: number,
    { endOffset, upTo }: { readonly endOffset: number | undefined; readonly upTo: number | undefined },
  ): Promise<IndexedSegment> {
    const known = this.#segments.get(baseOffset) ?? { frames: [], damages: [], isComplete: false };
    this.#use(baseOffset, known);
    const { frames } = known;
    if (known.isComplete || (upTo !== undefined && endOfFrames(baseOffset, frames) >= upTo)) return known;
    const start = { offset: endOfFrames(baseOffset, frames), position: endPosition(frames), endOffset };
    const scan = await scanSegment(segmentPath(this.#dir, baseOffset), start);
    // Somebody else may have scanned or added in the meantime.
    const end = endOfFrames(baseOffset, frames);
    frames.push(...scan.frames.filter(({ firstOffset }) => firstOffset >= end));
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

/** Frames from `first` on that lie side by side in the file, up to `endOffset` or the size of one read. */
function neighbours(
  frames: readonly PlacedFrame[],
  first: number,
  endOffset: number,
): readonly PlacedFrame[] {
  const wanted: PlacedFrame[] = [];
  let bytes = 0;
  for (let index = first; index < frames.length; index++) {
    const frame = frames[index];
    const previous = wanted.at(-1);
    if (!frame || (previous && !follows(previous, frame))) break;
    wanted.push(frame);
    bytes += frame.length;
    if (bytes >= READ_BYTES || frame.firstOffset + frame.count >= endOffset) break;
  }
  return wanted;
}

function follows(previous: PlacedFrame, next: PlacedFrame): boolean {
  return (
    next.position === previous.position + previous.length &&
    next.firstOffset === previous.firstOffset + previous.count
  );
}

/** Index of the frame that holds `offset`, by bisection. */
function frameAt(frames: readonly PlacedFrame[], offset: number): number | undefined {
  let low = 0;
  let high = frames.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const frame = frames[middle];
    if (frame && frame.firstOffset + frame.count <= offset) low = middle + 1;
    else high = middle;
  }
  const found = frames[low];
  return found && found.firstOffset <= offset ? low : undefined;
}

function endOfFrames(baseOffset: number, frames: readonly PlacedFrame[]): number {
  const last = frames.at(-1);
  return last ? last.firstOffset + last.count : baseOffset;
}

function endPosition(frames: readonly PlacedFrame[]): number {
  const last = frames.at(-1);
  return last ? last.position + last.length : 0;
}
