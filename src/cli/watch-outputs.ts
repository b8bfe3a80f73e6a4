import type { Writable } from 'node:stream';

export interface OutputsOwner {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly exit: (code: number) => void;
}

export interface WatchedOutputs {
  /** Aborts when the reader of standard output has gone. */
  readonly closed: AbortSignal;
  /** From now on the program outlives its outputs: a service goes on without them. */
  outlive(): void;
}

/**
 * What happens when an output fails:
 * - stderr, always: nothing; there is nobody to tell.
 * - stdout, its reader has gone: a command ends with 0, as `| head` wants it; a service continues.
 * - stdout cannot be written (full disk): a command ends with 1 and one line; a service continues and
 *   reports it once.
 */
export function watchOutputs({ stdout, stderr, exit }: OutputsOwner): WatchedOutputs {
  const closed = new AbortController();
  let outlives = false;
  let isTold = false;
  stderr.on('error', () => undefined);
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    const isGone = error.code === 'EPIPE' || error.code === 'ECONNRESET';
    if (isGone) closed.abort();
    if (!isGone && !isTold) {
      const consequence = outlives ? 'the program goes on without it' : 'free space, or write elsewhere';
      stderr.write(`error OUTPUT_UNWRITABLE: standard output: ${error.message}; ${consequence}\n`);
      isTold = true;
    }
    if (!outlives) exit(isGone ? 0 : 1);
  });
  return {
    closed: closed.signal,
    outlive() {
      outlives = true;
    },
  };
}
