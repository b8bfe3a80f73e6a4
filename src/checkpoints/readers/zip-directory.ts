import { refuse } from '../refuse.ts';

export interface ZipEntry {
  readonly method: 'stored' | 'deflated';
  readonly compressedSize: number;
  readonly size: number;
  readonly crc: number;
  readonly dataStart: number;
}

/** Deflate shrinks trained weights by a tenth; zeros of a fresh optimizer more. Beyond this it is a bomb. */
const MAX_GROWTH = 100;
/** As the largest file that is read. */
const MAX_TOTAL = 2 ** 31 - 1;
const MAX_ENTRIES = 100_000;

/**
 * The entries that a zip's central directory lists. Afterwards each lies inside the file, none
 * overlaps another, and all together inflate to no more than a hundred times the file, and 2 GiB.
 * @throws ActionstreamError MODEL_INVALID
 */
export function parseDirectory(bytes: Uint8Array, origin: string): ReadonlyMap<string, ZipEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { count, start, end } = locateDirectory(view, origin);
  if (count > MAX_ENTRIES) throw refuse(origin, `lists ${count} entries, expected at most ${MAX_ENTRIES}`);
  const entries = new Map<string, ZipEntry>();
  let position = start;
  for (let i = 0; i < count; i++) {
    if (position + 46 > end || view.getUint32(position, true) !== 0x02014b50) {
      throw refuse(origin, `entry ${i} of the zip directory is damaged`);
    }
    const length = [28, 30, 32].map((field) => view.getUint16(position + field, true));
    const [nameLength = 0, extraLength = 0, commentLength = 0] = length;
    const next = position + 46 + nameLength + extraLength + commentLength;
    if (next > end) throw refuse(origin, `entry ${i} of the zip directory runs past its end`);
    const name = new TextDecoder().decode(bytes.subarray(position + 46, position + 46 + nameLength));
    checkName(name, origin);
    if (entries.has(name)) throw refuse(origin, `holds entry ${name} twice`);
    const extra = { from: position + 46 + nameLength, to: position + 46 + nameLength + extraLength };
    if (!name.endsWith('/')) entries.set(name, parseEntry(view, position, extra, `${origin}: ${name}`));
    position = next;
  }
  checkLayout(entries, bytes.length, origin);
  return entries;
}

interface Directory {
  readonly count: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The end record stands last, before a comment of at most 65,535 bytes; zip64 puts its own record before it.
 */
function locateDirectory(view: DataView, origin: string): Directory {
  const length = view.byteLength;
  const lowest = Math.max(0, length - 22 - 0xffff);
  let end = length - 22;
  while (end >= lowest && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < lowest) {
    throw refuse(
      origin,
      `begins as a zip but has no directory in its ${length} bytes: truncated; fetch it again`,
    );
  }
  const plain = {
    count: view.getUint16(end + 10, true),
    size: view.getUint32(end + 12, true),
    start: view.getUint32(end + 16, true),
  };
  const needs64 = plain.count === 0xffff || plain.size === 0xffffffff || plain.start === 0xffffffff;
  const { count, size, start } = needs64 ? locateZip64(view, end, origin) : plain;
  if (start + size > end) {
    throw refuse(
      origin,
      `announces a directory at bytes ${start}–${start + size}, the file has ${length}: truncated`,
    );
  }
  return { count, start, end: start + size };
}

function locateZip64(view: DataView, end: number, origin: string) {
  const locator = end - 20;
  if (locator < 0 || view.getUint32(locator, true) !== 0x07064b50) {
    throw refuse(origin, 'announces a zip64 directory that is not there');
  }
  const record = wide(view, locator + 8);
  if (record + 56 > locator || view.getUint32(record, true) !== 0x06064b50) {
    throw refuse(origin, 'announces a zip64 directory that is damaged');
  }
  return { count: wide(view, record + 32), size: wide(view, record + 40), start: wide(view, record + 48) };
}

function parseEntry(
  view: DataView,
  position: number,
  extra: { readonly from: number; readonly to: number },
  place: string,
): ZipEntry {
  const flags = view.getUint16(position + 8, true);
  const method = view.getUint16(position + 10, true);
  if ((flags & 1) !== 0) throw refuse(place, 'is encrypted; save it without a password');
  if (method !== 0 && method !== 8)
    throw refuse(place, `is packed by method ${method}, expected stored or deflated`);
  const wideFields = readZip64Extra(view, extra);
  const field = (offset: number): number => {
    const value = view.getUint32(position + offset, true);
    return value === 0xffffffff ? (wideFields.shift() ?? value) : value;
  };
  const size = field(24);
  const compressedSize = field(20);
  const header = field(42);
  if (header + 30 > view.byteLength || view.getUint32(header, true) !== 0x04034b50) {
    throw refuse(place, `begins at byte ${header}, where no entry begins: truncated or damaged`);
  }
  const dataStart = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
  if (dataStart + compressedSize > view.byteLength) {
    throw refuse(
      place,
      `ends at byte ${dataStart + compressedSize}, the file has ${view.byteLength}: truncated`,
    );
  }
  if (method === 0 && size !== compressedSize) {
    throw refuse(place, `is stored in ${compressedSize} bytes but announces ${size}`);
  }
  const crc = view.getUint32(position + 16, true);
  return { method: method === 0 ? 'stored' : 'deflated', compressedSize, size, crc, dataStart };
}

/**
 * The 64-bit values of extra field 1, in the order size, compressed size,
 * header offset: those that are needed.
 */
function readZip64Extra(
  view: DataView,
  { from, to }: { readonly from: number; readonly to: number },
): number[] {
  for (let at = from; at + 4 <= to; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    const count = Math.floor(Math.min(view.getUint16(at + 2, true), to - at - 4) / 8);
    return Array.from({ length: count }, (_, i) => wide(view, at + 4 + 8 * i));
  }
  return [];
}

/**
 * Nothing is ever unpacked to disk; a name that climbs out of a folder is still
 * no archive that PyTorch wrote.
 */
function checkName(name: string, origin: string): void {
  const climbs = name.startsWith('/') || name.includes('\\') || name.split('/').includes('..');
  if (climbs || name.includes('\0'))
    throw refuse(origin, `entry ${JSON.stringify(name)}: is no name inside an archive`);
}

function checkLayout(entries: ReadonlyMap<string, ZipEntry>, fileBytes: number, origin: string): void {
  let total = 0;
  let previous = { name: '', end: 0 };
  const byPlace = [...entries].sort(([, a], [, b]) => a.dataStart - b.dataStart);
  for (const [name, { dataStart, compressedSize, size }] of byPlace) {
    if (dataStart < previous.end) throw refuse(origin, `entry ${name}: overlaps ${previous.name}`);
    previous = { name, end: dataStart + compressedSize };
    total += size;
  }
  const limit = Math.min(MAX_GROWTH * fileBytes, MAX_TOTAL);
  if (total > limit) {
    throw refuse(
      origin,
      `would inflate from ${fileBytes} to ${total} bytes, expected at most ${limit}: a zip bomb`,
    );
  }
}

/** Sizes beyond 2⁵³ fail the checks against the file's own length. */
function wide(view: DataView, offset: number): number {
  return Number(view.getBigUint64(offset, true));
}
