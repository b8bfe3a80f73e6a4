import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ActionstreamError, messageOf } from '../../core/errors.ts';

/**
 * Memory that two processes share: an open file without a name, in RAM where the machine has
 * /dev/shm. The child inherits the descriptor. A 64×224² clip crosses in about 6 ms, of which the
 * writer spends 2; through the IPC channel it took 20 and 7 (ADR 0010).
 */
export interface PixelSlot {
  readonly fd: number;
  /** Puts the parts one after the other. @throws ActionstreamError ENGINE_FAILED where there is no room */
  write(parts: readonly Uint8Array[]): void;
  close(): void;
}

/** @throws ActionstreamError ENGINE_UNAVAILABLE where no temporary file can be made */
export function openPixelSlot(): PixelSlot {
  const fd = openNameless(['/dev/shm', tmpdir()]);
  return {
    fd,
    write: (parts) => {
      try {
        let start = 0;
        for (const part of parts) {
          for (let at = 0; at < part.length;) at += writeSync(fd, part, at, part.length - at, start + at);
          start += part.length;
        }
      } catch (error) {
        const bytes = parts.reduce((sum, part) => sum + part.length, 0);
        throw new ActionstreamError(
          'ENGINE_FAILED',
          `a clip of ${bytes} bytes cannot be passed to the inference process: ${messageOf(error)}`,
          { cause: error },
        );
      }
    },
    close: () => {
      closeSync(fd);
    },
  };
}

/** Fills `pixels` from the slot, from that byte on: the child's side. */
export function readPixelSlot(fd: number, pixels: Uint8Array, from: number): void {
  for (let at = 0; at < pixels.length;) {
    const count = readSync(fd, pixels, at, pixels.length - at, from + at);
    if (count === 0) throw new ActionstreamError('INTERNAL', `the pixel slot ends after ${from + at} bytes`);
    at += count;
  }
}

function openNameless(folders: readonly string[]): number {
  let problem: unknown;
  for (const folder of folders) {
    try {
      const path = join(folder, `actionstream-${randomUUID()}`);
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return fd;
    } catch (error) {
      problem = error;
    }
  }
  throw new ActionstreamError(
    'ENGINE_UNAVAILABLE',
    `no temporary file for pixels in ${folders.join(' or ')}: ${messageOf(problem)}; set TMPDIR to a writable folder`,
    { cause: problem },
  );
}
