import type { Writable } from 'node:stream';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import type { PublishedRecord, RecordType } from '../../core/records.ts';
import type { EventSink, StoredRecord } from '../event-sink.ts';

export interface NdjsonSinkOptions {
  /** Stays the caller's: it is not closed. */
  readonly output: Writable;
  /** Only these; default all. */
  readonly types?: readonly RecordType[];
}

/**
 * One JSON line a record, `{"type": …, "payload": …}`. "Durable" here means that the stream has taken the bytes; a
 * reader that goes away (EPIPE) ends the output for good and is no error: nobody is left to tell.
 */
export function createNdjsonSink({ output, types }: NdjsonSinkOptions): EventSink {
  let isGone = false;
  const onError = (error: Error): void => {
    isGone ||= isReaderGone(error);
  };
  output.on('error', onError);
  return {
    name: 'ndjson',
    open: () => Promise.resolve(),
    async write(batch: readonly StoredRecord[], signal: AbortSignal) {
      const records = batch.map(({ record }) => record).filter(({ type }) => types?.includes(type) ?? true);
      if (records.length === 0 || isGone) return;
      await writeLines(output, records, signal).catch((error: unknown) => {
        if (!isReaderGone(error)) throw error;
        isGone = true;
      });
    },
    [Symbol.asyncDispose]() {
      // A late EPIPE of the last write must still find a listener.
      setImmediate(() => output.off('error', onError));
      return Promise.resolve();
    },
  };
}

/** Resolves when the stream has taken everything: a slow reader holds up the writer. */
function writeLines(
  output: Writable,
  records: readonly PublishedRecord[],
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(new ActionstreamError('ABORTED', 'interrupted while the reader of the output was not reading'));
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    output.write(records.map((record) => `${JSON.stringify(record)}\n`).join(''), (error) => {
      signal.removeEventListener('abort', onAbort);
      if (!error) resolve();
      else if (isReaderGone(error)) reject(error);
      else reject(new ActionstreamError('INTERNAL', `output failed: ${messageOf(error)}`, { cause: error }));
    });
  });
}

function isReaderGone(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return ['EPIPE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END', 'ECONNRESET'].includes(
    String(error.code),
  );
}
