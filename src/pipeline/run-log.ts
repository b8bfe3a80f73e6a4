import { setMaxListeners } from 'node:events';
import { abortLater } from '../core/abort.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { PublishedRecord, StreamStatus } from '../core/records.ts';
import { endAfterRestart } from '../events/index.ts';
import type { RecordLog } from './types.ts';
import type { Journal } from '../sink/journal/types.ts';

/**
 * The journal as a run sees it: no append outlasts the run, however full the disk is. A full journal
 * delays no stop.
 */
export interface RunLog extends RecordLog {
  /** Journals what streams tell, without holding them up. */
  recordStatus(status: StreamStatus): void;
  /**
   * Ends the episodes that a crash left open, with reason `restart`. Need not be waited for: the records
   * are first in the queue, so whatever is appended later comes behind them. Resolves once they are
   * journalled; never rejects.
   */
  endOpenEpisodes(): Promise<void>;
  /** Waits for what is being appended without a waiting caller, then says what could not be written. */
  finish(): Promise<void>;
}

/** After a signal, records of the run wait so long for room on the disk. */
const GRACE_MS = 4000;

/** `signal` ends the run: a user's wish, or the journal's failure. */
export function createRunLog(journal: Journal, signal: AbortSignal, logger: Logger): RunLog {
  const late = abortLater(signal, GRACE_MS);
  const onStop = (): void => {
    journal.allowOverrun();
  };
  signal.addEventListener('abort', onStop, { once: true });
  if (signal.aborted) onStop();
  // One listener an append that waits; there are as many as streams.
  setMaxListeners(0, late.signal);
  const unattended = new Set<Promise<void>>();
  let unwritten = 0;

  const append = async (records: readonly PublishedRecord[]): Promise<void> => {
    try {
      await journal.append(records, late.signal);
    } catch (error) {
      // The run ends: there is nobody who could do anything about it.
      if (!signal.aborted) throw error;
      unwritten += records.length;
    }
  };
  const appendUnattended = (record: PublishedRecord, problem: string): Promise<void> => {
    const appended = append([record])
      .catch((error: unknown) => {
        logger.error({ stream_id: record.payload.stream_id, cause: messageOf(error) }, problem);
      })
      .finally(() => unattended.delete(appended));
    unattended.add(appended);
    return appended;
  };

  return {
    append,
    recordStatus(payload) {
      void appendUnattended({ type: 'stream.status', payload }, 'stream status could not be journalled');
    },
    async endOpenEpisodes() {
      const open = journal.openEpisodes();
      if (open.length === 0) return;
      logger.warn({ count: open.length }, 'ending episodes that the last run left open');
      const appends = open.map((event) => {
        const record = { type: 'action.event', payload: endAfterRestart(event) } as const;
        return appendUnattended(record, 'the end of an episode could not be journalled');
      });
      await Promise.all(appends);
    },
    async finish() {
      while (unattended.size > 0) await Promise.all(unattended);
      late.cancel();
      signal.removeEventListener('abort', onStop);
      if (unwritten === 0) return;
      logger.error(
        { records: unwritten, open_episodes: journal.openEpisodes().length },
        'the newest records could not be journalled and are lost; the next run ends the episodes left open',
      );
    },
  };
}
