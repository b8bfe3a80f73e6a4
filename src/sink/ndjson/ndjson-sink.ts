import { fstatSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { ActionstreamError } from '../../core/errors.ts';
import type { RecordType } from '../../core/records.ts';
import type { EventSink, StoredRecord } from '../event-sink.ts';
import { linesOf } from './lines.ts';
import { isReaderGone, unwritable } from './output-errors.ts';
import { writeAll } from './write-all.ts';

export interface NdjsonSinkOptions {
  /** Stays the caller's: it is not closed, and somebody listens to its errors. */
  readonly output: Writable;
  /** Only these; default all. */
  readonly types?: readonly RecordType[];
}

const PLACE = 'standard output';

/**
 * Lines to a stream. What `write` resolved for, the stream has handed on to its file or pipe.
 * - When the reader goes away: OUTPUT_CLOSED; nothing more will be accepted.
 * - When there is no room: OUTPUT_UNWRITABLE. The repeated batch goes on behind the bytes that were taken.
 */
export function createNdjsonSink({ output, types }: NdjsonSinkOptions): EventSink {
  const descriptor = fileOf(output);
  let begun: { readonly lines: string; readonly bytes: number } | undefined;

  /** Node's stream for files does not notice when only a part was written. */
  async function toFile(fd: number, lines: string, signal: AbortSignal): Promise<void> {
    const start = begun?.lines === lines ? begun.bytes : 0;
    const { bytes, error } = await writeAll(fd, Buffer.from(lines).subarray(start), signal);
    begun = error === undefined ? undefined : { lines, bytes: start + bytes };
    if (error !== undefined) throw error;
  }

  return {
    name: 'ndjson',
    open: () => Promise.resolve(),
    async write(batch: readonly StoredRecord[], signal: AbortSignal) {
      if (signal.aborted) throw interrupted();
      const lines = linesOf(batch, types);
      if (lines === '') return;
      try {
        await (descriptor === undefined
          ? toStream(output, lines, signal)
          : toFile(descriptor, lines, signal));
      } catch (error) {
        throw isReaderGone(error) ? readerGone(error) : unwritable(PLACE, error);
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Resolves when the stream has taken everything: a slow reader holds up the writer. */
function toStream(output: Writable, lines: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(interrupted());
    };
    signal.addEventListener('abort', onAbort, { once: true });
    output.write(lines, (error) => {
      signal.removeEventListener('abort', onAbort);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** The descriptor of a stream that is a file or device; undefined for pipes and terminals. */
function fileOf(output: Writable): number | undefined {
  if (!('fd' in output) || typeof output.fd !== 'number' || ('isTTY' in output && output.isTTY))
    return undefined;
  const kind = fstatSync(output.fd);
  return kind.isFile() || kind.isCharacterDevice() ? output.fd : undefined;
}

function readerGone(cause: unknown): ActionstreamError {
  return new ActionstreamError(
    'OUTPUT_CLOSED',
    `the reader of ${PLACE} went away; start again with a reader, or set sinks.ndjson.path to a file`,
    { cause },
  );
}

function interrupted(): ActionstreamError {
  return new ActionstreamError('ABORTED', 'interrupted while the reader of the output was not reading');
}
