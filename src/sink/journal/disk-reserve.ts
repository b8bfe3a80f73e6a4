import { randomBytes } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDiskFull } from './disk-errors.ts';

/**
 * Disk space that belongs to the journal: a file of `bytes` that is given up when the disk is full, so that checkpoints
 * and the snapshot can still be saved and delivered segments be deleted.
 */
export class DiskReserve {
  readonly #path: string;
  readonly #bytes: number;
  #isThere = false;

  constructor(dir: string, bytes: number) {
    this.#path = reservePath(dir);
    this.#bytes = bytes;
  }

  /** Takes the space where it is not taken yet; without effect on a full disk. */
  async ensure(): Promise<void> {
    if (this.#isThere) return;
    try {
      const { size } = await stat(this.#path).catch(() => ({ size: 0 }));
      // Random: a file system that compresses would keep no room for zeros.
      if (size !== this.#bytes) await writeFile(this.#path, randomBytes(this.#bytes));
      this.#isThere = true;
    } catch {
      await rm(this.#path, { force: true }).catch(() => undefined);
    }
  }

  /** Does `work`, once more with the reserve given up where the disk is full. */
  async around<T>(work: () => Promise<T>): Promise<T> {
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

/** Gives up what an earlier process has reserved, so that this one can start on a full disk. */
export async function releaseReserve(dir: string): Promise<void> {
  await rm(reservePath(dir), { force: true });
}

function reservePath(dir: string): string {
  return join(dir, 'reserve');
}
