import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ActionEvent } from '../../core/records.ts';
import type { Consumers } from './consumers.ts';
import type { DiskReserve } from './disk-reserve.ts';
import { saveOpenEpisodes } from './open-episodes.ts';
import type { SegmentFile } from './recover.ts';
import type { SegmentStore } from './segment-store.ts';

interface RetentionParts {
  readonly dir: string;
  readonly store: SegmentStore;
  readonly consumers: Consumers;
  readonly openEpisodes: ReadonlyMap<string, ActionEvent>;
  readonly retainMs: number;
  readonly reserve: DiskReserve;
  readonly logger: Logger;
}

// A full disk closes the active file early only from this size on: each file
// costs a block and a directory entry.
const SEAL_BYTES = 64 * 1024;

/**
 * Which files may go: those that every consumer has passed and whose open episodes a
 * snapshot sums up. They go when room is needed or they are older than `retainMs`;
 * until then `events verify` can compare them. Consumers left out of the configuration
 * keep what they lack until room is needed; then their oldest records are given up.
 */
export class Retention {
  readonly #parts: RetentionParts;
  #snapshotOffset: number;

  constructor(parts: RetentionParts & { readonly snapshotOffset: number }) {
    this.#parts = parts;
    this.#snapshotOffset = parts.snapshotOffset;
  }

  get undeliveredBytes(): number {
    return this.#parts.store.bytesFrom(this.#passedOffset);
  }

  /**
   * Closes the active file; the snapshot comes first, so that deleting the file later needs no disk space.
   */
  async roll(): Promise<void> {
    await this.snapshot().catch((error: unknown) => {
      this.#parts.logger.warn(
        { reason: messageOf(error) },
        'the snapshot of open episodes could not be saved',
      );
    });
    await this.#parts.reserve.around(() => this.#parts.store.roll());
  }

  async snapshot(): Promise<void> {
    const { dir, openEpisodes, reserve, store } = this.#parts;
    const { nextOffset } = store;
    await reserve.around(() => saveOpenEpisodes(dir, { nextOffset, events: openEpisodes }));
    this.#snapshotOffset = nextOffset;
  }

  /** Only between writes: it may close the active file. False: nothing may be deleted. */
  async deleteOldest(): Promise<boolean> {
    if (await this.#deleteBefore(this.#unwantedOffset)) return true;
    // Consumers that are configured come before those that are not.
    return this.#deleteBefore(this.#passedOffset);
  }

  /**
   * Closes the active file of a full disk, so that it can go as soon as it is delivered. False: it is small.
   */
  async sealEarly(): Promise<boolean> {
    if (this.#parts.store.activeBytes < SEAL_BYTES) return false;
    await this.roll();
    return true;
  }

  async deleteExpired(): Promise<void> {
    for (;;) {
      const oldest = this.#parts.store.deletable(this.#unwantedOffset);
      if (!oldest || Date.now() - oldest.lastAtMs < this.#parts.retainMs) return;
      await this.#delete(oldest);
    }
  }

  async #deleteBefore(offset: number): Promise<boolean> {
    const { store } = this.#parts;
    if (store.isSpent(offset)) await this.roll();
    const oldest = store.deletable(offset);
    if (!oldest) return false;
    await this.#delete(oldest);
    return true;
  }

  async #delete(segment: SegmentFile): Promise<void> {
    const { reserve, store } = this.#parts;
    if (this.#snapshotOffset < segment.endOffset) await this.snapshot();
    await this.#giveUp(segment.endOffset);
    await store.delete(segment);
    await reserve.ensure();
  }

  async #giveUp(endOffset: number): Promise<void> {
    const { consumers, logger, reserve, store } = this.#parts;
    for (const [sink, records] of consumers.giveUp(endOffset)) {
      logger.error(
        { sink, records, before_offset: endOffset },
        'records of a sink that is not configured are given up: the journal needs their room',
      );
      // Where it cannot be saved, the next start finds the records missing and reports them again.
      await reserve.around(() => consumers.save(sink, store.nextOffset)).catch(() => undefined);
    }
  }

  get #passedOffset(): number {
    return this.#parts.consumers.passedOffset(this.#parts.store.nextOffset);
  }

  get #unwantedOffset(): number {
    return this.#parts.consumers.unwantedOffset(this.#parts.store.nextOffset);
  }
}
