import { ActionstreamError } from '../../core/errors.ts';
import { loadCheckpoint, loadCheckpoints, removeCheckpoint, saveCheckpoint } from './checkpoints.ts';
import { lockDirectory } from './open-journal.ts';
import { openJournalReader } from './reader.ts';

export interface MovedCheckpoint {
  /** Where the sink stood; absent where it had no checkpoint. */
  readonly before?: number;
  readonly nextOffset: number;
  /** Records that the next run delivers to it, as far as they can be read. */
  readonly records: number;
}

/**
 * Makes the next run deliver to `consumer` from `offset` on. The journal must not be in use.
 * @throws JOURNAL_LOCKED, JOURNAL_CORRUPT; USAGE where the journal holds no
 *   such record; INPUT_INVALID where it is no journal
 */
export function resetCheckpoint(dir: string, consumer: string, offset: number): Promise<MovedCheckpoint> {
  return whileLocked(dir, async ({ firstOffset, nextOffset }) => {
    if (offset < firstOffset || offset > nextOffset) {
      throw new ActionstreamError(
        'USAGE',
        `journal ${dir} holds records from offset ${firstOffset} to ${nextOffset - 1}, and ${offset} is none of them; ` +
          `name one of these, or ${nextOffset} for new records only`,
      );
    }
    const known = await loadCheckpoint(dir, consumer);
    const before = known?.nextOffset;
    const since = Math.min(known?.since ?? offset, offset);
    await saveCheckpoint(dir, consumer, { nextOffset: offset, acknowledged: nextOffset, since });
    return {
      ...(before !== undefined && { before }),
      nextOffset: offset,
      records: nextOffset - offset,
    };
  });
}

/**
 * Forgets how far `consumer` has come: what waits for it is given up. Returns the number of these records.
 * @throws JOURNAL_LOCKED, JOURNAL_CORRUPT; USAGE where the journal does not know it
 */
export function forgetConsumer(dir: string, consumer: string): Promise<number> {
  return whileLocked(dir, async ({ firstOffset, nextOffset }) => {
    const known = await loadCheckpoints(dir);
    const checkpoint = known.get(consumer);
    if (!checkpoint) {
      const names = [...known.keys()].join(', ') || 'none';
      throw new ActionstreamError(
        'USAGE',
        `journal ${dir} knows no sink ${consumer}; those that it knows: ${names}`,
      );
    }
    await removeCheckpoint(dir, consumer);
    return nextOffset - Math.max(checkpoint.nextOffset, firstOffset);
  });
}

/** Nobody writes meanwhile, and no run begins. */
async function whileLocked<T>(
  dir: string,
  work: (bounds: { readonly firstOffset: number; readonly nextOffset: number }) => Promise<T>,
): Promise<T> {
  // Says where there is no journal, before the lock would create one.
  const reader = await openJournalReader(dir);
  const lock = await lockDirectory(dir);
  try {
    return await work(await reader.bounds());
  } finally {
    await lock[Symbol.asyncDispose]();
  }
}
