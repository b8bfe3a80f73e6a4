import { watch } from 'node:fs';
import { ActionstreamError } from '../../core/errors.ts';
import { sleep } from '../../core/abort.ts';
import type { StoredRecord } from '../event-sink.ts';
import { loadCheckpoint } from './checkpoints.ts';
import { createFrameIndex } from './frame-index.ts';
import { listSegments } from './segment.ts';

/** Reads a journal that another process may be writing; takes no lock and changes nothing. */
export interface JournalReader {
  /** Offsets [firstOffset, nextOffset) that are there now. */
  bounds(): Promise<{ readonly firstOffset: number; readonly nextOffset: number }>;
  /** Up to `maxRecords` records; starts at the oldest one where `fromOffset` has been deleted. Empty at the end. */
  read(fromOffset: number, maxRecords: number): Promise<readonly StoredRecord[]>;
  checkpointOf(consumer: string): Promise<number | undefined>;
  /** Resolves when the directory has changed, or after a second, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void>;
}

/** @throws INPUT_INVALID where there is no journal */
export async function openJournalReader(dir: string): Promise<JournalReader> {
  await segmentsOf(dir);
  const index = createFrameIndex(dir);
  return {
    async bounds() {
      const bases = await segmentsOf(dir);
      const last = bases.at(-1);
      if (last === undefined) return { firstOffset: 0, nextOffset: 0 };
      return { firstOffset: bases[0] ?? last, nextOffset: await index.endOf(last) };
    },
    async read(fromOffset, maxRecords) {
      for (;;) {
        const bases = await segmentsOf(dir);
        const from = Math.max(fromOffset, bases[0] ?? 0);
        const place = bases.findLastIndex((base) => base <= from);
        const baseOffset = bases[place];
        if (baseOffset === undefined) return [];
        const endOffset = bases[place + 1];
        const end = endOffset === undefined ? {} : { endOffset };
        try {
          return await index.read({ baseOffset, ...end, fromOffset: from, maxRecords });
        } catch (error) {
          // The writer has deleted it since we listed the directory.
          if (!isMissing(error)) throw error;
          index.forget(baseOffset);
        }
      }
    },
    checkpointOf: (consumer) => loadCheckpoint(dir, consumer),
    async changed(signal) {
      const stop = new AbortController();
      const watcher = watch(dir, () => {
        stop.abort();
      });
      watcher.on('error', () => undefined);
      await sleep(1000, AbortSignal.any([signal, stop.signal]));
      watcher.close();
    },
  };
}

async function segmentsOf(dir: string): Promise<readonly number[]> {
  try {
    return await listSegments(dir);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new ActionstreamError(
      'INPUT_INVALID',
      `no journal at ${dir}; name the journal.dir of the running instance`,
      {
        cause: error,
      },
    );
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
