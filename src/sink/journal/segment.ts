import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredRecord } from '../event-sink.ts';
import { corrupt, type Damage } from './corruption.ts';
import { decodeFrame, decodeRecords, findFrameAfter, type Frame } from './frame.ts';

/** A frame and where it begins in its segment file, bytes. */
export interface PlacedFrame extends Frame {
  readonly position: number;
}

export interface SegmentScan {
  readonly frames: readonly PlacedFrame[];
  /** Of a finished segment: the parts between and behind the frames that lack records. */
  readonly damages: readonly Damage[];
  /** Bytes of whole frames from the beginning; less than the file where it ends in a torn frame. */
  readonly goodBytes: number;
  readonly torn?: string;
}

export interface ScanStart {
  readonly offset: number;
  readonly position: number;
  /** Of a finished segment: where the next one begins. */
  readonly endOffset?: number | undefined;
}

/** `00000000000000000042.seg`: the name is the offset of the first record. */
export function segmentPath(dir: string, baseOffset: number): string {
  return join(dir, `${String(baseOffset).padStart(20, '0')}.seg`);
}

/** Base offsets of the segments in `dir`, ascending. */
export async function listSegments(dir: string): Promise<readonly number[]> {
  const names = await readdir(dir);
  return names
    .filter((name) => /^\d{20}\.seg$/.test(name))
    .map((name) => Number(name.slice(0, 20)))
    .sort((a, b) => a - b);
}

/**
 * Checks the frames of a segment file from `start` on (its beginning, or where an earlier scan stopped). Damage in a
 * finished segment is reported, and the scan continues behind it.
 * @throws JOURNAL_CORRUPT for the file being written, where a damaged frame has whole ones behind it or offsets do not follow
 */
export async function scanSegment(path: string, start: ScanStart): Promise<SegmentScan> {
  const buffer = await readFrom(path, start.position);
  return start.endOffset === undefined
    ? scanGrowing(path, buffer, start)
    : scanFinished(path, buffer, { ...start, endOffset: start.endOffset });
}

function scanGrowing(path: string, buffer: Buffer, start: ScanStart): SegmentScan {
  const frames: PlacedFrame[] = [];
  let at = 0;
  let nextOffset = start.offset;
  for (;;) {
    const position = start.position + at;
    const decoded = decodeFrame(buffer, at);
    if (decoded.kind === 'end') return { frames, damages: [], goodBytes: position };
    if (decoded.kind === 'damaged') {
      if (findFrameAfter(buffer, at) !== undefined) throw corrupt(path, position, decoded.why);
      return { frames, damages: [], goodBytes: position, torn: decoded.why };
    }
    if (decoded.frame.firstOffset !== nextOffset) {
      throw corrupt(path, position, `offset ${decoded.frame.firstOffset} where ${nextOffset} should follow`);
    }
    frames.push({ ...decoded.frame, position });
    at += decoded.frame.length;
    nextOffset += decoded.frame.count;
  }
}

function scanFinished(
  path: string,
  buffer: Buffer,
  { offset, position: origin, endOffset }: ScanStart & { readonly endOffset: number },
): SegmentScan {
  const frames: PlacedFrame[] = [];
  const damages: Damage[] = [];
  let at = 0;
  let nextOffset = offset;
  while (nextOffset < endOffset) {
    const found = nextFrame(buffer, at, { nextOffset, endOffset });
    if (found.at > at || found.frame?.firstOffset !== nextOffset) {
      damages.push({
        path,
        position: origin + at,
        endPosition: origin + found.at,
        firstOffset: nextOffset,
        endOffset: found.frame?.firstOffset ?? endOffset,
        why: found.why,
      });
    }
    if (!found.frame) break;
    frames.push({ ...found.frame, position: origin + found.at });
    at = found.at + found.frame.length;
    nextOffset = found.frame.firstOffset + found.frame.count;
  }
  // Bytes between two frames that follow each other lack no record.
  const lacking = damages.filter((damage) => damage.endOffset > damage.firstOffset);
  return { frames, damages: lacking, goodBytes: origin + at };
}

interface FoundFrame {
  readonly at: number;
  /** Absent: there is none up to the end of the file, which is `at`. */
  readonly frame?: Frame;
  /** What is wrong with the bytes before it. */
  readonly why: string;
}

/** The first whole frame at or behind `from` that belongs to this segment and was not seen yet. */
function nextFrame(
  buffer: Buffer,
  from: number,
  { nextOffset, endOffset }: { readonly nextOffset: number; readonly endOffset: number },
): FoundFrame {
  const first = decodeFrame(buffer, from);
  const why = first.kind === 'damaged' ? first.why : first.kind === 'end' ? 'the file ends' : 'offsets jump';
  for (let at: number | undefined = from; at !== undefined; at = findFrameAfter(buffer, at)) {
    const decoded = decodeFrame(buffer, at);
    if (decoded.kind !== 'frame') continue;
    const { firstOffset, count } = decoded.frame;
    if (firstOffset >= nextOffset && firstOffset + count <= endOffset)
      return { at, frame: decoded.frame, why };
  }
  return { at: buffer.length, why };
}

/** Records of some neighbouring frames with one read of the file. */
export async function readFrames(
  path: string,
  frames: readonly PlacedFrame[],
): Promise<readonly StoredRecord[]> {
  const first = frames[0];
  const last = frames.at(-1);
  if (!first || !last) return [];
  const buffer = await readFrom(path, first.position, last.position + last.length - first.position);
  return frames.flatMap((frame) => {
    const decoded = decodeFrame(buffer, frame.position - first.position);
    if (decoded.kind !== 'frame' || decoded.frame.firstOffset !== frame.firstOffset)
      throw corrupt(path, frame.position, 'a frame that was whole before');
    return decodeRecords(buffer, frame.position - first.position, frame);
  });
}

/** The file's bytes from `position` on, `length` of them at most. */
async function readFrom(path: string, position: number, length = Infinity): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - position)));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
