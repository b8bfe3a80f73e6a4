import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ActionEvent } from '../../core/records.ts';
import type { Consumers } from './consumers.ts';
import { saveOpenEpisodes } from './open-episodes.ts';
import type { SegmentStore } from './segment-store.ts';

interface RetentionParts {
  readonly dir: string;
  readonly store: SegmentStore;
  readonly consumers: Consumers;
  readonly openEpisodes: ReadonlyMap<string, ActionEvent>;
  readonly retainMs: number;
  readonly logger: Logger;
}

/**
 * Which files may go: those that every consumer has passed and whose open episodes a snapshot sums up. They go when
 * room is needed or they are older than `retainMs`; until then `events verify` can compare them.
 */
export class Retention {
  readonly #parts: RetentionParts;
  #snapshotOffset: number;

  constructor(parts: RetentionParts & { readonly snapshotOffset: number }) {
    this.#parts = parts;
    this.#snapshotOffset = parts.snapshotOffset;
  }

  /** Everything before it has been delivered everywhere. */
  get passedOffset(): number {
    return this.#parts.consumers.passedOffset(this.#parts.store.nextOffset);
  }

  get undeliveredBytes(): number {
    return this.#parts.store.bytesFrom(this.passedOffset);
  }

  /** Closes the active file; the snapshot comes first, so that deleting the file later needs no disk space. */
  async roll(): Promise<void> {
    await this.snapshot().catch((error: unknown) => {
      this.#parts.logger.warn(
        { reason: messageOf(error) },
        'the snapshot of open episodes could not be saved',
      );
    });
    await this.#parts.store.roll();
  }

  async snapshot(): Promise<void> {
    const { dir, openEpisodes, store } = this.#parts;
    const { nextOffset } = store;
    await saveOpenEpisodes(dir, { nextOffset, events: openEpisodes });
    this.#snapshotOffset = nextOffset;
  }

  /** Only between writes: it may close the active file. False: nothing may be deleted. */
  async deleteOldest(): Promise<boolean> {
    if (this.#parts.store.isSpent(this.passedOffset)) await this.roll();
    return this.#deleteClosed();
  }

  async deleteExpired(): Promise<void> {
    for (;;) {
      const oldest = this.#parts.store.deletable(this.passedOffset);
      if (!oldest || Date.now() - oldest.lastAtMs < this.#parts.retainMs) return;
      await this.#deleteClosed();
    }
  }

  async #deleteClosed(): Promise<boolean> {
    const { store } = this.#parts;
    const oldest = store.deletable(this.passedOffset);
    if (!oldest) return false;
    if (this.#snapshotOffset < oldest.endOffset) await this.snapshot();
    await store.delete(oldest);
    return true;
  }
}
