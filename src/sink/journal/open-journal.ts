import { mkdir } from 'node:fs/promises';
import { ActionstreamError } from '../../core/errors.ts';
import { silentLogger } from '../../core/logger.ts';
import { syncDirectory, syncFile } from './atomic-file.ts';
import { Consumers } from './consumers.ts';
import { isDiskFull } from './disk-errors.ts';
import { DiskJournal } from './disk-journal.ts';
import { DiskReserve, releaseReserve, reserveBytes } from './disk-reserve.ts';
import { EntryIndex } from './entry-index.ts';
import { acquireLock, type DirectoryLock } from './lock.ts';
import { loadMarker, saveMarker, type Marker } from './marker.ts';
import { recoverJournal } from './recover.ts';
import { Retention } from './retention.ts';
import { listSegments, segmentPath } from './segment.ts';
import { SegmentStore } from './segment-store.ts';
import { openSegmentWriter, unwritable } from './segment-writer.ts';
import type { Journal, JournalOptions } from './types.ts';

/**
 * Opens or creates the journal in `dir` and locks it.
 * @throws JOURNAL_LOCKED, JOURNAL_CORRUPT, JOURNAL_UNWRITABLE
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const lock = await lockDirectory(options.dir);
  try {
    return await openLocked(lock, options);
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error instanceof ActionstreamError ? error : unwritable(options.dir, error);
  }
}

/** Creates the directory where missing and takes its lock. @throws JOURNAL_LOCKED, JOURNAL_UNWRITABLE */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  try {
    await mkdir(dir, { recursive: true });
    return await acquireLock(dir).catch(async (error: unknown) => {
      if (!isDiskFull(error)) throw error;
      await releaseReserve(dir);
      return acquireLock(dir);
    });
  } catch (error) {
    throw error instanceof ActionstreamError ? error : unwritable(dir, error);
  }
}

async function openLocked(lock: DirectoryLock, options: JournalOptions): Promise<Journal> {
  const { dir, fsync = true, maxBytes = 1024 ** 3, logger = silentLogger, retainMs = Infinity } = options;
  const index = new EntryIndex(dir, { patienceMs: options.readPatienceMs });
  const marker = await loadMarker(dir);
  const recovered = await recoverJournal(dir, { consumers: options.consumers, index, logger, marker, fsync });
  const reserve = new DiskReserve(dir, await reserveBytes(dir, maxBytes));
  await reserve.ensure();
  await reserve.around(() => markFsync(dir, marker, fsync));

  const { active, closed, nextOffset, openEpisodes, snapshotOffset } = recovered;
  const consumers = new Consumers(dir, recovered);
  for (const sink of recovered.added) await reserve.around(() => consumers.save(sink, nextOffset));
  const writer = await reserve.around(() => openSegmentWriter(dir, { ...active, fsync }));
  const segmentBytes = Math.min(options.segmentBytes ?? 16 * 1024 ** 2, maxBytes / 4);
  const { lastAtMs } = active;
  const store = new SegmentStore({ dir, index, fsync, segmentBytes, closed, writer, lastAtMs, nextOffset });
  const owned = { dir, store, consumers, openEpisodes, logger };
  const retention = new Retention({ ...owned, reserve, snapshotOffset, retainMs });
  const shedBytes = maxBytes * (options.shedAt ?? 0.8);
  return new DiskJournal({ ...owned, lock, retention, reserve, maxBytes, shedBytes });
}

/** Remembers how the journal is written from now on. What earlier processes did not sync is synced first. */
async function markFsync(dir: string, marker: Marker | undefined, fsync: boolean): Promise<void> {
  if (marker?.fsync === fsync) return;
  if (fsync && marker?.fsync === false) {
    for (const baseOffset of await listSegments(dir)) await syncFile(segmentPath(dir, baseOffset));
    await syncDirectory(dir);
  }
  await saveMarker(dir, { fsync });
}
