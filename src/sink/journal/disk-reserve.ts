import { randomBytes } from 'node:crypto';
import { rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDiskFull } from './disk-errors.ts';

/**
 * Disk space that belongs to the journal: a file of `bytes` that is given up when the disk is
 * full, so that checkpoints and the snapshot can still be saved and delivered segments be deleted.
 */
export class DiskReserve {
  readonly #path: string;
  readonly #bytes: number;
  #isThere = false;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(dir: string, bytes: number) {
    this.#path = reservePath(dir);
    this.#bytes = bytes;
  }

  /**
   * Takes the space where it is not taken yet. False: the disk is too full;
   * records must not use what is left.
   */
  ensure(): Promise<boolean> {
    return this.#isThere ? Promise.resolve(true) : this.#inTurn(() => this.#take());
  }

  /** Does `work`, once more with the reserve given up where the disk is full; one work at a time uses it. */
  around<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(() => this.#attempt(work));
  }

  /** What fills the disk for a moment must not fail another. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #take(): Promise<boolean> {
    if (this.#isThere) return true;
    try {
      const { size } = await stat(this.#path).catch(() => ({ size: 0 }));
      // Random: a file system that compresses would keep no room for zeros.
      if (size < this.#bytes) await writeFile(this.#path, randomBytes(this.#bytes));
      this.#isThere = true;
      return true;
    } catch (error) {
      await rm(this.#path, { force: true }).catch(() => undefined);
      return !isDiskFull(error);
    }
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isDiskFull(error) || !this.#isThere) throw error;
      this.#isThere = false;
      await rm(this.#path, { force: true });
      return work();
    }
  }
}

/**
 * How much to reserve: checkpoints and the file of open episodes (about 1 kB
 * each) must fit. A small journal or a small disk reserves less.
 */
export async function reserveBytes(dir: string, maxBytes: number): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  const forJournal = Math.max(16 * 1024, maxBytes / 256);
  const forDisk = Math.max(64 * 1024, (bavail * bsize) / 8);
  return Math.floor(Math.min(4 * 1024 ** 2, forJournal, forDisk));
}

/** Gives up what an earlier process has reserved, so that this one can start on a full disk. */
export async function releaseReserve(dir: string): Promise<void> {
  await rm(reservePath(dir), { force: true });
}

function reservePath(dir: string): string {
  return join(dir, 'reserve');
}
