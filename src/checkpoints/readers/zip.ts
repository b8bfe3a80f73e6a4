import { inflateRawSync } from 'node:zlib';
import { crc32 } from '../../core/crc32.ts';
import { messageOf } from '../../core/errors.ts';
import { refuse } from '../refuse.ts';
import { parseDirectory, type ZipEntry } from './zip-directory.ts';

/** A zip archive in memory, trusted in nothing. */
export interface ZipArchive {
  /** Names of its files, in the order of the directory. */
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Bytes that the directory says the entry has. */
  sizeOf(name: string): number;
  /**
   * The entry's bytes, with their length and CRC-32 checked; those of a stored entry are not copied.
   * @throws ActionstreamError MODEL_INVALID naming file and entry
   */
  read(name: string): Uint8Array;
}

/** @throws ActionstreamError MODEL_INVALID where the directory is damaged, absent or lies */
export function openZip(bytes: Uint8Array, origin: string): ZipArchive {
  const entries = parseDirectory(bytes, origin);
  const find = (name: string): ZipEntry => {
    const entry = entries.get(name);
    if (!entry) throw refuse(origin, `has no entry ${name}`);
    return entry;
  };
  return {
    names: [...entries.keys()],
    has: (name) => entries.has(name),
    sizeOf: (name) => find(name).size,
    read: (name) => readEntry(bytes, find(name), `${origin}: ${name}`),
  };
}

function readEntry(bytes: Uint8Array, entry: ZipEntry, place: string): Uint8Array {
  const { method, size, crc, dataStart, compressedSize } = entry;
  const raw = bytes.subarray(dataStart, dataStart + compressedSize);
  const data = method === 'stored' ? raw : inflate(raw, size, place);
  if (data.length !== size) {
    throw refuse(place, `holds ${data.length} bytes, the directory says ${size}: damaged`);
  }
  const found = crc32(data);
  if (found !== crc) {
    throw refuse(place, `CRC-32 is ${hex(found)}, the directory says ${hex(crc)}: damaged; fetch it again`);
  }
  return data;
}

/** Stops at the announced size: an entry cannot grow beyond what was checked. */
function inflate(raw: Uint8Array, size: number, place: string): Uint8Array {
  try {
    return inflateRawSync(raw, { maxOutputLength: Math.max(1, size) });
  } catch (error) {
    throw refuse(place, `cannot be inflated to the announced ${size} bytes: ${messageOf(error)}`, error);
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
