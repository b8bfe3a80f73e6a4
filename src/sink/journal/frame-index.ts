import type { StoredRecord } from '../event-sink.ts';
import { corrupt, readFrames, scanSegment, segmentPath, type PlacedFrame } from './segment.ts';

// Indexes of this many segments are kept: one a consumer, and the one being written.
const KEPT_SEGMENTS = 8;
// One read from disk stops at the first frame that brings it here, bytes.
const READ_BYTES = 4 * 1024 * 1024;

/** Which records, and in which segment they are. */
export interface PlacedRead {
  readonly baseOffset: number;
  /** Where the next segment begins, unless this is the last one. */
  readonly endOffset?: number;
  readonly fromOffset: number;
  readonly maxRecords: number;
}

/** Finds records in segment files by offset; scans a file once and then only what is new in it. */
export interface FrameIndex {
  /** Tells of a frame just written, so that the file need not be scanned. */
  add(baseOffset: number, frame: PlacedFrame): void;
  forget(baseOffset: number): void;
  /** Records up to the end of the segment at most; frames that are still being written are not there yet. */
  read(request: PlacedRead): Promise<readonly StoredRecord[]>;
  /** When the record was journalled, ms since 1970; undefined where the segment does not hold it. */
  recordedAt(baseOffset: number, offset: number): Promise<number | undefined>;
  /** Offset after the last whole frame of the segment. */
  endOf(baseOffset: number): Promise<number>;
}

export function createFrameIndex(dir: string): FrameIndex {
  const segments = new Map<number, PlacedFrame[]>();

  async function framesOf(baseOffset: number, upTo: number | undefined): Promise<PlacedFrame[]> {
    const known = segments.get(baseOffset) ?? [];
    // Insertion order serves as order of use.
    segments.delete(baseOffset);
    segments.set(baseOffset, known);
    for (const key of segments.keys()) {
      if (segments.size <= KEPT_SEGMENTS) break;
      segments.delete(key);
    }
    if (upTo !== undefined && endOfFrames(baseOffset, known) >= upTo) return known;
    const start = { offset: endOfFrames(baseOffset, known), position: endPosition(known) };
    const { frames } = await scanSegment(segmentPath(dir, baseOffset), start);
    // Somebody else may have scanned or added in the meantime.
    const end = endOfFrames(baseOffset, known);
    known.push(...frames.filter(({ firstOffset }) => firstOffset >= end));
    return known;
  }

  return {
    add(baseOffset, frame) {
      const known = segments.get(baseOffset);
      if (known) {
        if (endPosition(known) === frame.position) known.push(frame);
      } else if (frame.position === 0) segments.set(baseOffset, [frame]);
    },
    forget(baseOffset) {
      segments.delete(baseOffset);
    },
    async read({ baseOffset, endOffset, fromOffset, maxRecords }) {
      const frames = await framesOf(baseOffset, endOffset ?? fromOffset + maxRecords);
      const end = endOfFrames(baseOffset, frames);
      if (endOffset !== undefined && end !== endOffset) {
        const path = segmentPath(dir, baseOffset);
        throw corrupt(path, endPosition(frames), `it ends at offset ${end}, and ${endOffset} follows`);
      }
      const first = frameAt(frames, fromOffset);
      if (first === undefined) return [];
      let last = first;
      let bytes = 0;
      while (last < frames.length) {
        const frame = frames[last++];
        if (!frame) break;
        bytes += frame.length;
        if (bytes >= READ_BYTES || frame.firstOffset + frame.count >= fromOffset + maxRecords) break;
      }
      const records = await readFrames(segmentPath(dir, baseOffset), frames.slice(first, last));
      return records.filter(({ offset }) => offset >= fromOffset && offset < fromOffset + maxRecords);
    },
    async recordedAt(baseOffset, offset) {
      const frames = await framesOf(baseOffset, offset + 1);
      const index = frameAt(frames, offset);
      return index === undefined ? undefined : frames[index]?.recordedAtMs;
    },
    async endOf(baseOffset) {
      return endOfFrames(baseOffset, await framesOf(baseOffset, undefined));
    },
  };
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
