import { open, rm, truncate, type FileHandle } from 'node:fs/promises';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import { syncDirectory } from './atomic-file.ts';
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
  append(frame: Buffer): Promise<void>;
}

export class DiskFull extends Error {}

/** Opens the segment that begins at `baseOffset`, new or with `bytes` whole bytes; cuts off what lies behind them. */
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
  await file.truncate(bytes);
  if (fsync) {
    await file.sync();
    await syncDirectory(dir);
  }
  let end = bytes;
  return {
    baseOffset,
    get bytes() {
      return end;
    },
    async append(frame) {
      await writeWhole(file, path, { frame, position: end, fsync });
      end += frame.length;
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
    return await open(path, 'r+');
  } catch {
    try {
      return await open(path, 'w+');
    } catch (error) {
      throw isFull(error) ? new DiskFull(messageOf(error)) : unwritable(path, error);
    }
  }
}

async function writeWhole(
  file: FileHandle,
  path: string,
  { frame, position, fsync }: { readonly frame: Buffer; readonly position: number; readonly fsync: boolean },
): Promise<void> {
  try {
    let written = 0;
    while (written < frame.length) {
      const { bytesWritten } = await file.write(frame, written, frame.length - written, position + written);
      written += bytesWritten;
    }
  } catch (error) {
    if (!isFull(error)) throw unwritable(path, error);
    await truncate(path, position).catch(() => undefined);
    throw new DiskFull(messageOf(error), { cause: error });
  }
  if (!fsync) return;
  try {
    await file.datasync();
  } catch (error) {
    // Delayed allocation reports a full disk here; after any other failure nobody knows what is on disk.
    if (!isFull(error)) throw unwritable(path, error);
    await truncate(path, position).catch(() => undefined);
    throw new DiskFull(messageOf(error), { cause: error });
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

export function unwritable(path: string, cause: unknown): ActionstreamError {
  return new ActionstreamError(
    'JOURNAL_UNWRITABLE',
    `journal ${path} cannot be written: ${messageOf(cause)}; make the directory writable for this user, ` +
      'or set journal.dir to one on a healthy local disk',
    { cause },
  );
}
