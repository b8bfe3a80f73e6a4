import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/*
 * Reads a journal by ADR 0013 alone, without the program's own code, so that its count is a second opinion.
 *
 *   0  u32 magic "ASJF"   4  u32 length of the whole frame   8  u32 CRC-32 of bytes 12…length
 *  12  u32 record count  16  u64 offset of the first record  24  u64 recorded at, ms since 1970
 *  32  per record: u32 length, JSON in UTF-8                                    (all little endian)
 */

export interface ParsedRecord {
  readonly offset: number;
  readonly recordedAtMs: number;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** The payload as it was written. */
  readonly text: string;
}

export interface ParsedJournal {
  readonly records: readonly ParsedRecord[];
  /** Frames with a wrong checksum or length that are not the end of the last file. */
  readonly damagedFrames: number;
  /** Offsets that are not there between the first and the last one. */
  readonly holes: number;
}

const MAGIC = Buffer.from('ASJF', 'latin1');
const HEADER = 32;

export function parseJournal(directory: string): ParsedJournal {
  const segments = readdirSync(directory)
    .filter((name) => /^\d{20}\.seg$/.test(name))
    .sort();
  const records: ParsedRecord[] = [];
  let damagedFrames = 0;
  for (const [place, name] of segments.entries()) {
    const bytes = readFileSync(path.join(directory, name));
    for (let at = 0; at < bytes.length;) {
      const frame = readFrame(bytes, at);
      if (frame) {
        records.push(...frame.records);
        at += frame.length;
        continue;
      }
      const next = findFrame(bytes, at + 1);
      if (next !== undefined || place < segments.length - 1) damagedFrames += 1;
      at = next ?? bytes.length;
    }
  }
  const holes = records.reduce(
    (sum, { offset }, n) => sum + (n === 0 ? 0 : offset - (records[n - 1]?.offset ?? 0) - 1),
    0,
  );
  return { records, damagedFrames, holes };
}

/** Where each whole frame of a file begins. */
export function frameStarts(bytes: Buffer): readonly number[] {
  const starts: number[] = [];
  for (let at = 0, frame = readFrame(bytes, at); frame; frame = readFrame(bytes, at)) {
    starts.push(at);
    at += frame.length;
  }
  return starts;
}

function findFrame(bytes: Buffer, from: number): number | undefined {
  for (let at = bytes.indexOf(MAGIC, from); at >= 0; at = bytes.indexOf(MAGIC, at + 1))
    if (readFrame(bytes, at)) return at;
  return undefined;
}

function readFrame(
  bytes: Buffer,
  at: number,
): { readonly length: number; readonly records: readonly ParsedRecord[] } | undefined {
  if (at + HEADER > bytes.length || bytes.compare(MAGIC, 0, 4, at, at + 4) !== 0) return undefined;
  const length = bytes.readUInt32LE(at + 4);
  if (length < HEADER || at + length > bytes.length) return undefined;
  if (crcOf(bytes.subarray(at + 12, at + length)) !== bytes.readUInt32LE(at + 8)) return undefined;
  const first = Number(bytes.readBigUInt64LE(at + 16));
  const recordedAtMs = Number(bytes.readBigUInt64LE(at + 24));
  const records: ParsedRecord[] = [];
  let cursor = at + HEADER;
  for (let n = 0; n < bytes.readUInt32LE(at + 12); n += 1) {
    const size = bytes.readUInt32LE(cursor);
    const json = JSON.parse(bytes.toString('utf8', cursor + 4, cursor + 4 + size)) as Pick<
      ParsedRecord,
      'type' | 'payload'
    >;
    records.push({ offset: first + n, recordedAtMs, ...json, text: JSON.stringify(json.payload) });
    cursor += 4 + size;
  }
  return { length, records };
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crcOf(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}
