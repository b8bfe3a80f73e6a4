import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../core/errors.ts';
import type { Checkpoint } from './checkpoint.ts';
import { isNpz, readNpz } from './readers/npz.ts';
import { readSafetensorsCheckpoint } from './readers/safetensors.ts';
import { isTorchLegacy, readTorchLegacy } from './readers/torch-legacy.ts';
import { isTorchZip, readTorchZip } from './readers/torch-zip.ts';
import { isNumpyPickle, readNumpyPickle } from './readers/numpy-pickle.ts';
import { openZip } from './readers/zip.ts';
import { refuse } from './refuse.ts';

/** What Node reads in one piece; the largest checkpoint of the family is 0.5 GB. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * A checkpoint file of any container; its first bytes decide, never its name. Nothing in it is executed.
 * @throws ActionstreamError MODEL_INVALID naming the file, what was found and what to do
 */
export async function loadCheckpoint(
  path: string,
): Promise<{ readonly checkpoint: Checkpoint; readonly bytes: Uint8Array }> {
  const bytes = await readBytes(path);
  return { checkpoint: parseCheckpoint(bytes, path), bytes };
}

/** @throws ActionstreamError MODEL_INVALID; `origin` names the file */
export function parseCheckpoint(bytes: Uint8Array, origin: string): Checkpoint {
  if (startsWith(bytes, [0x50, 0x4b, 0x03, 0x04])) {
    const archive = openZip(bytes, origin);
    if (isTorchZip(archive)) return readTorchZip(archive, origin);
    if (isNpz(archive)) return readNpz(archive, origin);
    const found = archive.names.slice(0, 5).join(', ');
    throw refuse(
      origin,
      `is a zip of ${found}, …; expected data.pkl (torch.save) or .npy files (numpy.savez)`,
    );
  }
  if (isTorchLegacy(bytes)) return readTorchLegacy(bytes, origin);
  if (isNumpyPickle(bytes)) return readNumpyPickle(bytes, origin);
  if (startsWith(bytes, [0x80])) {
    throw refuse(
      origin,
      'is a pickle that torch.save did not write; in Python, save torch.save(state_dict, FILE)',
    );
  }
  if (isTar(bytes)) {
    throw refuse(
      origin,
      'is a tar file as PyTorch wrote before 0.1.10; load it with PyTorch and save it again',
    );
  }
  if (looksLikeSafetensors(bytes)) return readSafetensorsCheckpoint(bytes, origin);
  throw refuse(
    origin,
    `is no checkpoint of a known kind (torch.save, safetensors or npz): it begins with ${firstBytes(bytes)}`,
  );
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const found = await stat(path);
    // A device or a pipe would be read for ever.
    if (!found.isFile()) throw refuse(path, 'is no regular file');
    if (found.size > MAX_BYTES) {
      throw refuse(path, `is ${found.size} bytes long, expected at most ${MAX_BYTES}`);
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && error.name === 'ActionstreamError') throw error;
    throw refuse(path, `cannot be read: ${messageOf(error)}`, error);
  }
}

function startsWith(bytes: Uint8Array, head: readonly number[]): boolean {
  return head.every((byte, i) => bytes[i] === byte);
}

function isTar(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(257, 262)).toString('latin1') === 'ustar';
}

/** Eight bytes of length, then JSON. */
function looksLikeSafetensors(bytes: Uint8Array): boolean {
  return bytes[8] === 0x7b;
}

function firstBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'nothing: it is empty';
  const head = Buffer.from(bytes.subarray(0, 12));
  const text = head.toString('latin1');
  const shown = /^[\x20-\x7e\s]+$/.test(text) ? ` (${JSON.stringify(text)})` : '';
  return `${head.toString('hex')}${shown}`;
}
