import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ActionstreamError } from '../../core/errors.ts';
import type { StoredRecord } from '../event-sink.ts';
import { decodeFrame, decodeRecords, findFrameAfter, type Frame } from './frame.ts';

/** A frame and where it begins in its segment file, bytes. */
export interface PlacedFrame extends Frame {
  readonly position: number;
}

export interface SegmentScan {
  readonly frames: readonly PlacedFrame[];
  /** Bytes of whole frames from the beginning; less than the file where it ends in a torn frame. */
  readonly goodBytes: number;
  readonly torn?: string;
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
 * Checks the frames of a segment file from `start` on (its beginning, or where an earlier scan stopped).
 * @throws JOURNAL_CORRUPT naming file and byte where a damaged frame has whole ones behind it, or offsets do not follow
 */
export async function scanSegment(
  path: string,
  start: { readonly offset: number; readonly position: number },
): Promise<SegmentScan> {
  const buffer = await readFrom(path, start.position);
  const frames: PlacedFrame[] = [];
  let at = 0;
  let nextOffset = start.offset;
  for (;;) {
    const position = start.position + at;
    const decoded = decodeFrame(buffer, at);
    if (decoded.kind === 'end') return { frames, goodBytes: position };
    if (decoded.kind === 'damaged') {
      if (findFrameAfter(buffer, at) !== undefined) throw corrupt(path, position, decoded.why);
      return { frames, goodBytes: position, torn: decoded.why };
    }
    if (decoded.frame.firstOffset !== nextOffset) {
      throw corrupt(path, position, `offset ${decoded.frame.firstOffset} where ${nextOffset} should follow`);
    }
    frames.push({ ...decoded.frame, position });
    at += decoded.frame.length;
    nextOffset += decoded.frame.count;
  }
}

/** Records of some neighbouring frames with one read of the file. */
export async function readFrames(
  path: string,
  frames: readonly PlacedFrame[],
): Promise<readonly StoredRecord[]> {
  const first = frames[0];
  const last = frames.at(-1);
  if (!first || !last) return [];
  const buffer = Buffer.allocUnsafe(last.position + last.length - first.position);
  const file = await open(path, 'r');
  try {
    await file.read(buffer, 0, buffer.length, first.position);
  } finally {
    await file.close();
  }
  return frames.flatMap((frame) => {
    const decoded = decodeFrame(buffer, frame.position - first.position);
    if (decoded.kind !== 'frame') throw corrupt(path, frame.position, 'a frame that was whole before');
    return decodeRecords(buffer, frame.position - first.position, frame);
  });
}

async function readFrom(path: string, position: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const buffer = Buffer.allocUnsafe(Math.max(0, size - position));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

export function corrupt(path: string, position: number, why: string): ActionstreamError {
  return new ActionstreamError(
    'JOURNAL_CORRUPT',
    `${path} at byte ${position}: ${why}; the disk or another program has damaged it. ` +
      'Move the journal directory away to start anew, and keep it: it may hold undelivered events',
  );
}
