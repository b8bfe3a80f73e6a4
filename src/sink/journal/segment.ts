import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredRecord } from '../event-sink.ts';
import { corrupt, type Damage } from './corruption.ts';
import { decodeEntry, decodeRecords, findEntryAfter, type Entry, type OffsetRange } from './entry.ts';

/** An entry and where it begins in its segment file, bytes. */
export interface PlacedEntry extends Entry {
  readonly position: number;
}

export interface SegmentScan {
  readonly entries: readonly PlacedEntry[];
  /** Of a finished segment: the parts between and behind the entries that lack records. */
  readonly damages: readonly Damage[];
  /** Bytes of whole entries from the beginning; less than the file where it ends in a torn entry. */
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
 * Checks the entries of a segment file from `start` on (its beginning, or where an earlier
 * scan stopped). Damage in a finished segment is reported, and the scan continues behind it.
 * @throws JOURNAL_CORRUPT for the file being written, where a damaged entry has
 *   whole ones behind it or offsets do not follow
 */
export async function scanSegment(path: string, start: ScanStart): Promise<SegmentScan> {
  const buffer = await readFrom(path, start.position);
  return start.endOffset === undefined
    ? scanGrowing(path, buffer, start)
    : scanFinished(path, buffer, { ...start, endOffset: start.endOffset });
}

function scanGrowing(path: string, buffer: Buffer, start: ScanStart): SegmentScan {
  const entries: PlacedEntry[] = [];
  let at = 0;
  let nextOffset = start.offset;
  for (;;) {
    const position = start.position + at;
    const decoded = decodeEntry(buffer, at);
    if (decoded.kind === 'end') return { entries, damages: [], goodBytes: position };
    if (decoded.kind === 'damaged') {
      if (findEntryAfter(buffer, at) !== undefined) throw corrupt(path, position, decoded.why);
      return { entries, damages: [], goodBytes: position, torn: decoded.why };
    }
    if (decoded.entry.firstOffset !== nextOffset) {
      throw corrupt(path, position, `offset ${decoded.entry.firstOffset} where ${nextOffset} should follow`);
    }
    entries.push({ ...decoded.entry, position });
    at += decoded.entry.length;
    nextOffset += decoded.entry.count;
  }
}

function scanFinished(
  path: string,
  buffer: Buffer,
  { offset, position: origin, endOffset }: ScanStart & { readonly endOffset: number },
): SegmentScan {
  const entries: PlacedEntry[] = [];
  const damages: Damage[] = [];
  let at = 0;
  let nextOffset = offset;
  while (nextOffset < endOffset) {
    const found = nextEntry(buffer, at, { nextOffset, endOffset });
    if (found.at > at || found.entry?.firstOffset !== nextOffset) {
      damages.push({
        path,
        position: origin + at,
        endPosition: origin + found.at,
        firstOffset: nextOffset,
        endOffset: found.entry?.firstOffset ?? endOffset,
        why: found.why,
      });
    }
    if (!found.entry) break;
    entries.push({ ...found.entry, position: origin + found.at });
    at = found.at + found.entry.length;
    nextOffset = found.entry.firstOffset + found.entry.count;
  }
  // Bytes between two entries that follow each other lack no record.
  const lacking = damages.filter((damage) => damage.endOffset > damage.firstOffset);
  return { entries, damages: lacking, goodBytes: origin + at };
}

interface FoundEntry {
  readonly at: number;
  /** Absent: there is none up to the end of the file, which is `at`. */
  readonly entry?: Entry;
  /** What is wrong with the bytes before it. */
  readonly why: string;
}

/** The first whole entry at or behind `from` that belongs to this segment and was not seen yet. */
function nextEntry(
  buffer: Buffer,
  from: number,
  { nextOffset, endOffset }: { readonly nextOffset: number; readonly endOffset: number },
): FoundEntry {
  const first = decodeEntry(buffer, from);
  const why = first.kind === 'damaged' ? first.why : first.kind === 'end' ? 'the file ends' : 'offsets jump';
  for (let at: number | undefined = from; at !== undefined; at = findEntryAfter(buffer, at)) {
    const decoded = decodeEntry(buffer, at);
    if (decoded.kind !== 'entry') continue;
    const { firstOffset, count } = decoded.entry;
    if (firstOffset >= nextOffset && firstOffset + count <= endOffset)
      return { at, entry: decoded.entry, why };
  }
  return { at: buffer.length, why };
}

/** Those records of some neighbouring entries that are wanted, with one read of the file. */
export async function readEntries(
  path: string,
  entries: readonly PlacedEntry[],
  wanted: OffsetRange,
): Promise<readonly StoredRecord[]> {
  const first = entries[0];
  const last = entries.at(-1);
  if (!first || !last) return [];
  const buffer = await readFrom(path, first.position, last.position + last.length - first.position);
  return entries.flatMap((entry) => {
    const position = entry.position - first.position;
    const decoded = decodeEntry(buffer, position);
    if (decoded.kind !== 'entry' || decoded.entry.firstOffset !== entry.firstOffset)
      throw corrupt(path, entry.position, 'an entry that was whole before');
    return decodeRecords(buffer, { ...decoded.entry, position }, wanted);
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
