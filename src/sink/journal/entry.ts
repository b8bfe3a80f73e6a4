import type { PublishedRecord } from '../../core/records.ts';
import type { StoredRecord } from '../event-sink.ts';
import { crc32 } from '../../core/crc32.ts';

/*
 * One entry holds the records of one group commit. It is written only after its predecessor is on disk.
 * So a damaged entry before a whole one is damage: its records had been acknowledged. A damaged entry
 * with nothing whole behind it is the torn tail of a crash: its records had not.
 *
 *   0  u32 magic "ASJF"   4  u32 length of the whole entry   8  u32 CRC-32 of bytes 12…length
 *  12  u32 record count  16  u64 offset of the first record  24  u64 recorded at, ms since 1970
 *  32  per record: u32 length, JSON in UTF-8                                    (all little endian)
 */
const MAGIC = 0x464a5341;
const HEADER_BYTES = 32;

export interface Entry {
  readonly firstOffset: number;
  readonly count: number;
  readonly recordedAtMs: number;
  /** Bytes of the whole entry. */
  readonly length: number;
}

/** Offsets [from, end). */
export interface OffsetRange {
  readonly from: number;
  readonly end: number;
}

export type Decoded =
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'end' }
  | { readonly kind: 'damaged'; readonly why: string };

/** Size of the entry that `encodeEntry` would make of these encoded records, bytes. */
export function entryBytes(records: readonly Uint8Array[]): number {
  return records.reduce((sum, record) => sum + 4 + record.length, HEADER_BYTES);
}

export function encodeRecord(record: PublishedRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record), 'utf8');
}

export function encodeEntry(
  records: readonly Uint8Array[],
  { firstOffset, recordedAtMs }: { readonly firstOffset: number; readonly recordedAtMs: number },
): Buffer {
  const buffer = Buffer.allocUnsafe(entryBytes(records));
  buffer.writeUInt32LE(MAGIC, 0);
  buffer.writeUInt32LE(buffer.length, 4);
  buffer.writeUInt32LE(records.length, 12);
  buffer.writeBigUInt64LE(BigInt(firstOffset), 16);
  buffer.writeBigUInt64LE(BigInt(recordedAtMs), 24);
  let position = HEADER_BYTES;
  for (const record of records) {
    position = buffer.writeUInt32LE(record.length, position);
    buffer.set(record, position);
    position += record.length;
  }
  buffer.writeUInt32LE(crc32(buffer.subarray(12)), 8);
  return buffer;
}

/** Looks at the entry that begins at `position`. */
export function decodeEntry(buffer: Buffer, position: number): Decoded {
  const left = buffer.length - position;
  if (left === 0) return { kind: 'end' };
  if (left < HEADER_BYTES) return { kind: 'damaged', why: 'an incomplete header' };
  if (buffer.readUInt32LE(position) !== MAGIC) return { kind: 'damaged', why: 'no entry begins here' };
  const length = buffer.readUInt32LE(position + 4);
  if (length < HEADER_BYTES || length > left) return { kind: 'damaged', why: 'an incomplete entry' };
  if (crc32(buffer.subarray(position + 12, position + length)) !== buffer.readUInt32LE(position + 8)) {
    return { kind: 'damaged', why: 'a wrong checksum' };
  }
  return {
    kind: 'entry',
    entry: {
      firstOffset: Number(buffer.readBigUInt64LE(position + 16)),
      count: buffer.readUInt32LE(position + 12),
      recordedAtMs: Number(buffer.readBigUInt64LE(position + 24)),
      length,
    },
  };
}

/** Records [from, end) of the whole entry at `position`, as `decodeEntry` found it; others are skipped. */
export function decodeRecords(
  buffer: Buffer,
  { position, firstOffset, count, recordedAtMs }: Entry & { readonly position: number },
  { from, end }: OffsetRange,
): readonly StoredRecord[] {
  const records: StoredRecord[] = [];
  let cursor = position + HEADER_BYTES;
  for (let offset = firstOffset; offset < Math.min(firstOffset + count, end); offset++) {
    const length = buffer.readUInt32LE(cursor);
    const start = cursor + 4;
    cursor = start + length;
    if (offset < from) continue;
    const json = buffer.toString('utf8', start, cursor);
    records.push({ offset, recordedAtMs, record: JSON.parse(json) as PublishedRecord });
  }
  return records;
}

/** Position of the first whole entry after `position`, if any: tells damage from a torn tail. */
export function findEntryAfter(buffer: Buffer, position: number): number | undefined {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(MAGIC, 0);
  for (let at = buffer.indexOf(magic, position + 1); at >= 0; at = buffer.indexOf(magic, at + 1)) {
    if (decodeEntry(buffer, at).kind === 'entry') return at;
  }
  return undefined;
}
