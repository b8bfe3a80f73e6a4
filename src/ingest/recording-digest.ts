import { createHash, type Hash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { httpVersionOf } from './http-version.ts';
import { composeSourceAddress, type SourceLocation } from './source-address.ts';

/** Up to this size all bytes are read; of larger files head, tail and blocks in between. */
const WHOLE_BYTES = 4 << 20;
const END_BYTES = 1 << 20;
const BLOCK_BYTES = 64 << 10;
const BLOCKS = 16;

/**
 * SHA-256 of what a recording holds, cheap at any size: the size and at most 4 MiB of its bytes.
 * Recordings that agree in size, first and last MiB and 16 blocks evenly in between count as the
 * same. Name, folder and time do not matter. A recording on an HTTP server is known by its URL
 * without credentials and by what the server says of its version. What is neither (a pipe, a
 * device, a pattern of file names) is known by its address alone. Never rejects.
 */
export async function recordingDigest(location: SourceLocation, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const { path, url, secure } = composeSourceAddress(location);
  if (path !== undefined) {
    const isRead = await addFile(hash, path).catch(() => false);
    return isRead ? hash.digest('hex') : digestOf('address', path);
  }
  const version = await httpVersionOf(url, secure?.trust ?? {}, signal).catch(() => undefined);
  return digestOf('address', withoutCredentials(url), version ?? '');
}

/** False: no regular file. To open a pipe would wait for its writer, and take what is ours to decode. */
async function addFile(hash: Hash, path: string): Promise<boolean> {
  const found = await stat(path);
  if (!found.isFile()) return false;
  const handle = await open(path);
  try {
    hash.update(`file ${found.size}\n`);
    for (const { start, length } of blocksOf(found.size)) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, start);
      hash.update(buffer.subarray(0, bytesRead));
    }
    return true;
  } finally {
    await handle.close();
  }
}

function blocksOf(size: number): readonly { readonly start: number; readonly length: number }[] {
  if (size <= WHOLE_BYTES) return [{ start: 0, length: size }];
  const between = size - 2 * END_BYTES - BLOCK_BYTES;
  const middle = Array.from({ length: BLOCKS }, (_, i) => ({
    start: END_BYTES + Math.floor((between * i) / (BLOCKS - 1)),
    length: BLOCK_BYTES,
  }));
  return [{ start: 0, length: END_BYTES }, ...middle, { start: size - END_BYTES, length: END_BYTES }];
}

function digestOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
}
