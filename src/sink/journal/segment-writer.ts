import { open, rm, stat, type FileHandle } from 'node:fs/promises';
import { ActionstreamError, messageOf, systemCodeOf } from '../../core/errors.ts';
import { syncDirectory } from './atomic-file.ts';
import { DiskFull, isDiskFull, isShortage } from './disk-errors.ts';
import { segmentPath } from './segment.ts';

/** The file at the journal's end: bytes go in at the end, durably, or not at all. */
export interface SegmentWriter extends AsyncDisposable {
  readonly baseOffset: number;
  readonly bytes: number;
  /**
   * Durable when it resolves.
   * @throws DiskFull where the disk has no room: nothing was written and the call may be repeated
   * @throws JOURNAL_UNWRITABLE where it is unknown what reached the disk: the journal must be opened anew
   */
  append(entry: Buffer): Promise<void>;
  /**
   * False where the file that is written is no longer the one in the directory: it was deleted or replaced.
   */
  isInPlace(): Promise<boolean>;
}

/**
 * Opens the segment that begins at `baseOffset`, new or with `bytes` whole
 * bytes; cuts off what lies behind them.
 */
export async function openSegmentWriter(
  dir: string,
  {
    baseOffset,
    bytes,
    fsync,
  }: { readonly baseOffset: number; readonly bytes: number; readonly fsync: boolean },
): Promise<SegmentWriter> {
  const path = segmentPath(dir, baseOffset);
  const file = await openFile(path);
  try {
    await file.truncate(bytes);
    if (fsync) {
      await file.sync();
      await syncDirectory(dir);
    }
  } catch (error) {
    await file.close();
    // An empty segment that nobody writes would hide what the previous one still receives.
    if (bytes === 0) await removeSegment(dir, baseOffset);
    if (isShortage(error)) throw error;
    throw isDiskFull(error) ? new DiskFull(messageOf(error), { cause: error }) : unwritable(path, error);
  }
  const { ino } = await file.stat();
  let end = bytes;
  return {
    baseOffset,
    get bytes() {
      return end;
    },
    async append(entry) {
      await writeWhole(file, path, { entry, position: end, fsync });
      end += entry.length;
    },
    async isInPlace() {
      const there = await stat(path).catch((error: unknown) => {
        if (systemCodeOf(error) === 'ENOENT') return undefined;
        throw error;
      });
      return there?.ino === ino;
    },
    async [Symbol.asyncDispose]() {
      await file.close();
    },
  };
}

export async function removeSegment(dir: string, baseOffset: number): Promise<void> {
  await rm(segmentPath(dir, baseOffset), { force: true });
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+').catch((error: unknown) => {
      if (systemCodeOf(error) !== 'ENOENT') throw error;
      return open(path, 'wx+');
    });
  } catch (error) {
    if (isShortage(error)) throw error;
    throw isDiskFull(error) ? new DiskFull(messageOf(error), { cause: error }) : unwritable(path, error);
  }
}

async function writeWhole(
  file: FileHandle,
  path: string,
  { entry, position, fsync }: { readonly entry: Buffer; readonly position: number; readonly fsync: boolean },
): Promise<void> {
  try {
    let written = 0;
    while (written < entry.length) {
      const { bytesWritten } = await file.write(entry, written, entry.length - written, position + written);
      written += bytesWritten;
    }
  } catch (error) {
    if (!isDiskFull(error)) throw unwritable(path, error);
    await file.truncate(position).catch(() => undefined);
    throw new DiskFull(messageOf(error), { cause: error });
  }
  if (!fsync) return;
  try {
    await file.datasync();
  } catch (error) {
    // Delayed allocation reports a full disk here; after any other failure nobody knows what is on disk.
    if (!isDiskFull(error)) throw unwritable(path, error);
    await file.truncate(position).catch(() => undefined);
    throw new DiskFull(messageOf(error), { cause: error });
  }
}

export function unwritable(path: string, cause: unknown): ActionstreamError {
  return new ActionstreamError(
    'JOURNAL_UNWRITABLE',
    `journal ${path} cannot be written: ${messageOf(cause)}; make the directory writable for this user, ` +
      'or set journal.dir to one on a healthy local disk',
    { cause },
  );
}
