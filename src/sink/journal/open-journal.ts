import { mkdir } from 'node:fs/promises';
import { ActionstreamError } from '../../core/errors.ts';
import { silentLogger } from '../../core/logger.ts';
import { Consumers } from './consumers.ts';
import { DiskJournal } from './disk-journal.ts';
import { createFrameIndex } from './frame-index.ts';
import { acquireLock } from './lock.ts';
import { recoverJournal } from './recover.ts';
import { Retention } from './retention.ts';
import { SegmentStore } from './segment-store.ts';
import { openSegmentWriter, unwritable } from './segment-writer.ts';
import type { Journal, JournalOptions } from './types.ts';

/** Opens or creates the journal in `dir` and locks it. @throws JOURNAL_LOCKED, JOURNAL_CORRUPT, JOURNAL_UNWRITABLE */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { dir, fsync = true, maxBytes = 1024 ** 3, logger = silentLogger } = options;
  const lock = await lockDirectory(dir);
  try {
    const index = createFrameIndex(dir);
    const recovered = await recoverJournal(dir, { consumers: options.consumers, index, logger });
    const { active, closed, nextOffset } = recovered;
    const writer = await openSegmentWriter(dir, { ...active, fsync });
    const segmentBytes = Math.min(options.segmentBytes ?? 16 * 1024 ** 2, maxBytes / 4);
    const { lastAtMs } = active;
    const store = new SegmentStore({ dir, index, fsync, segmentBytes, closed, writer, lastAtMs, nextOffset });
    const consumers = new Consumers(dir, recovered);
    const { openEpisodes, snapshotOffset } = recovered;
    const { retainMs = Infinity, shedAt = 0.8 } = options;
    const retention = new Retention({
      dir,
      store,
      consumers,
      openEpisodes,
      snapshotOffset,
      retainMs,
      logger,
    });
    const shedBytes = maxBytes * shedAt;
    return new DiskJournal({
      dir,
      lock,
      logger,
      maxBytes,
      shedBytes,
      consumers,
      store,
      retention,
      openEpisodes,
    });
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error instanceof ActionstreamError ? error : unwritable(dir, error);
  }
}

async function lockDirectory(dir: string): Promise<AsyncDisposable> {
  try {
    await mkdir(dir, { recursive: true });
    return await acquireLock(dir);
  } catch (error) {
    throw error instanceof ActionstreamError ? error : unwritable(dir, error);
  }
}
