import { write } from 'node:fs';
import { promisify } from 'node:util';
import { sleep } from '../../core/abort.ts';
import { ActionstreamError, systemCodeOf } from '../../core/errors.ts';

/** What came of a write: all bytes, or fewer and the reason. */
export interface Written {
  readonly bytes: number;
  readonly error?: Error;
}

const writeBytes = promisify(write);
// A pipe that is full takes more once its reader has read.
const FULL_PIPE_MS = 20;

/**
 * Writes at the file's own position until everything is taken. Never rejects:
 * the count tells where a line is torn.
 */
export async function writeAll(fd: number, content: Buffer, signal: AbortSignal): Promise<Written> {
  let bytes = 0;
  while (bytes < content.length) {
    if (signal.aborted)
      return { bytes, error: new ActionstreamError('ABORTED', 'interrupted while the output took no more') };
    try {
      bytes += (await writeBytes(fd, content, bytes, content.length - bytes, null)).bytesWritten;
    } catch (error) {
      if (systemCodeOf(error) !== 'EAGAIN') return { bytes, error: toError(error) };
      await sleep(FULL_PIPE_MS, signal);
    }
  }
  return { bytes };
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
