import { watch } from 'node:fs';
import { ActionstreamError, systemCodeOf } from '../../core/errors.ts';
import { sleep } from '../../core/abort.ts';
import type { StoredRecord } from '../event-sink.ts';
import { loadCheckpoint, loadCheckpoints, type Checkpoint } from './checkpoints.ts';
import { endsEarly } from './corruption.ts';
import { EntryIndex } from './entry-index.ts';
import { loadMarker } from './marker.ts';
import { acknowledgedBy, loadOpenEpisodes } from './open-episodes.ts';
import { listSegments, segmentPath } from './segment.ts';

/** Reads a journal that another process may be writing; takes no lock and changes nothing. */
export interface JournalReader {
  /**
   * Offsets [firstOffset, nextOffset) that are there now.
   * @throws JOURNAL_CORRUPT where acknowledged records are missing at the end, as opening the journal does
   */
  bounds(): Promise<{ readonly firstOffset: number; readonly nextOffset: number }>;
  /**
   * Up to `maxRecords` records, fewer before a damaged part; starts at the
   * oldest one where `fromOffset` has been deleted. Empty at the end.
   * @throws UnreadableRecords where `fromOffset` lies in a damaged part of a finished file
   */
  read(fromOffset: number, maxRecords: number): Promise<readonly StoredRecord[]>;
  checkpointOf(consumer: string): Promise<Checkpoint | undefined>;
  /** Resolves when the directory has changed, or after a second, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void>;
}

/** @throws INPUT_INVALID where there is no journal */
export async function openJournalReader(dir: string): Promise<JournalReader> {
  await segmentsIn(dir);
  const index = new EntryIndex(dir);
  return {
    async bounds() {
      // Before the end is looked up: a running writer moves both.
      const acknowledged = acknowledgedBy(await loadOpenEpisodes(dir), await loadCheckpoints(dir));
      const marker = await loadMarker(dir);
      const bases = await segmentsIn(dir);
      const last = bases.at(-1);
      if (last === undefined) return { firstOffset: acknowledged, nextOffset: acknowledged };
      const { nextOffset, position } = await index.endOf(last);
      if (acknowledged > nextOffset && marker?.fsync !== false) {
        throw endsEarly(segmentPath(dir, last), { position, nextOffset, acknowledged });
      }
      return { firstOffset: bases[0] ?? last, nextOffset };
    },
    async read(fromOffset, maxRecords) {
      for (;;) {
        const bases = await segmentsIn(dir);
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
          if (systemCodeOf(error) !== 'ENOENT') throw error;
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

/** Base offsets of the journal's files, ascending. @throws INPUT_INVALID where there is no journal */
export async function segmentsIn(dir: string): Promise<readonly number[]> {
  try {
    return await listSegments(dir);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    throw new ActionstreamError(
      'INPUT_INVALID',
      `no journal at ${dir}; name the journal.dir of the running instance`,
      {
        cause: error,
      },
    );
  }
}
