import type { ActionstreamError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ActionEvent, PublishedRecord } from '../../core/records.ts';
import { AppendQueue, type PendingAppend } from './append-queue.ts';
import type { Consumers } from './consumers.ts';
import { DiskFull, isDiskFull, isShortage } from './disk-errors.ts';
import type { DiskReserve } from './disk-reserve.ts';
import { encodeEntry } from './entry.ts';
import type { DirectoryLock } from './lock.ts';
import type { Notifier } from './notifier.ts';
import { applyRecord } from './open-episodes.ts';
import type { Retention } from './retention.ts';
import type { SegmentStore } from './segment-store.ts';
import { unwritable } from './segment-writer.ts';
import type { Appended } from './types.ts';

export interface CommitParts {
  readonly dir: string;
  readonly lock: DirectoryLock;
  readonly logger: Logger;
  readonly maxBytes: number;
  readonly consumers: Consumers;
  readonly store: SegmentStore;
  readonly retention: Retention;
  readonly reserve: DiskReserve;
  readonly openEpisodes: Map<string, ActionEvent>;
}

interface CommitContext extends CommitParts {
  /** Notified when a record was appended or an append withdrawn; others notify it of checkpoints. */
  readonly notifier: Notifier;
  readonly closing: AbortSignal;
  /** What was thrown that makes further appends impossible. */
  readonly onFailure: (error: unknown) => void;
}

const RETRY_MS = { first: 100, max: 5000 };
/** What a run writes at its end may exceed `maxBytes` by so much: bytes, or a share where that is more. */
const OVERRUN = { bytes: 64 * 1024, share: 1 / 8 };

/**
 * Writes waiting appends, those made together with one fsync. States:
 * - idle: nothing waits.
 * - writing: the first appends become one entry.
 * - stalled: the journal or the disk is full, or the process is short of
 *   descriptors. The appends wait in the queue, so that they can be withdrawn.
 *   It ends by a checkpoint that frees room, by a new try, or by the close.
 */
export class CommitLoop {
  readonly #parts: CommitContext;
  readonly #queue: AppendQueue;
  #running: Promise<void> | undefined;
  #stalled = false;
  #stalls = 0;
  #diskFullRetries = 0;
  #retryMs = RETRY_MS.first;
  #limitBytes: number;

  constructor(parts: CommitContext) {
    this.#parts = parts;
    this.#limitBytes = parts.maxBytes;
    this.#queue = new AppendQueue(() => {
      parts.notifier.notify();
    });
  }

  get waitingBytes(): number {
    return this.#queue.bytes;
  }

  get stats(): {
    readonly waitingAppends: number;
    readonly stalls: number;
    readonly diskFullRetries: number;
  } {
    return {
      waitingAppends: this.#stalled ? this.#queue.length : 0,
      stalls: this.#stalls,
      diskFullRetries: this.#diskFullRetries,
    };
  }

  append(
    records: readonly PublishedRecord[],
    options: { readonly shed: number; readonly signal: AbortSignal | undefined },
  ): Promise<Appended> {
    const appended = this.#queue.push(records, options);
    this.#running ??= this.#commitAll();
    return appended;
  }

  /** From now on appends may exceed the journal's size by a bounded part. */
  allowOverrun(): void {
    const { maxBytes, notifier } = this.#parts;
    this.#limitBytes = maxBytes + Math.max(OVERRUN.bytes, OVERRUN.share * maxBytes);
    notifier.notify();
  }

  rejectAll(error: Error): void {
    this.#queue.rejectAll(error);
  }

  /** Resolves when nothing is being written any more. */
  async stopped(): Promise<void> {
    await this.#running;
  }

  async #commitAll(): Promise<void> {
    // One turn of the microtask queue lets appends made together share the fsync.
    await Promise.resolve();
    try {
      while (this.#queue.length > 0 && (await this.#makeRoom())) await this.#commitGroup();
    } catch (error) {
      // Where the lock or the whole directory is gone, that is the better
      // explanation: it fails the journal first.
      await this.#parts.lock.look().catch(() => undefined);
      this.#parts.onFailure(error);
    }
    this.#running = undefined;
  }

  /** Waits until the first append fits. False: the journal closes. */
  async #makeRoom(): Promise<boolean> {
    const { closing, dir, maxBytes, notifier, retention, store } = this.#parts;
    for (;;) {
      if (closing.aborted) return false;
      const seen = notifier.count;
      const needed = this.#queue.neededBytes;
      if (needed === 0) return true;
      if (needed > maxBytes) this.#queue.rejectFirst(tooLarge(dir, needed, maxBytes));
      else if (store.bytes + needed <= this.#limitBytes) return true;
      else if (!(await this.#freeRoom())) {
        const undelivered = retention.undeliveredBytes;
        const why = 'the journal is full of undelivered records; events wait for the sinks';
        this.#setStalled(why, { undelivered_bytes: undelivered });
        await notifier.next(closing, seen);
      }
    }
  }

  async #freeRoom(): Promise<boolean> {
    try {
      return await this.#parts.retention.deleteOldest();
    } catch (error) {
      if (!isDiskFull(error) && !isShortage(error)) throw error;
      await this.#waitOut(error);
      return true;
    }
  }

  async #commitGroup(): Promise<void> {
    const { lock, reserve, store } = this.#parts;
    const group = this.#queue.takeGroup(this.#limitBytes - store.bytes);
    if (group.length === 0) return;
    try {
      await lock.confirm();
      if (!(await reserve.ensure())) throw new DiskFull('only room for checkpoints is left');
      this.#accept(group, await this.#write(group.flatMap((pending) => pending.encoded)));
    } catch (error) {
      this.#queue.giveBack(group);
      if (!isDiskFull(error) && !isShortage(error)) throw error;
      await this.#waitOut(error);
    }
  }

  async #write(encoded: readonly Uint8Array[]): Promise<{ firstOffset: number; recordedAtMs: number }> {
    const { retention, store } = this.#parts;
    const place = {
      firstOffset: store.nextOffset,
      recordedAtMs: Math.max(Date.now(), Math.ceil(store.lastAtMs)),
    };
    const entry = encodeEntry(encoded, place);
    if (store.isFullFor(entry.length)) await retention.roll();
    await store.append(entry, { count: encoded.length, recordedAtMs: place.recordedAtMs });
    return place;
  }

  #accept(group: readonly PendingAppend[], place: { firstOffset: number; recordedAtMs: number }): void {
    const { consumers, notifier, openEpisodes } = this.#parts;
    consumers.noteAppended(place.firstOffset, place.recordedAtMs);
    let offset = place.firstOffset;
    for (const { records, shed, resolve } of group) {
      for (const record of records) applyRecord(openEpisodes, record);
      resolve({ firstOffset: offset, lastOffset: offset + records.length - 1, shed });
      offset += records.length;
    }
    this.#endStall();
    notifier.notify();
  }

  /**
   * A full disk, or a lack of descriptors: frees what it can, then waits for a checkpoint or the next try.
   */
  async #waitOut(error: unknown): Promise<void> {
    const { closing, dir, notifier, retention } = this.#parts;
    const seen = notifier.count;
    if (isDiskFull(error)) {
      this.#diskFullRetries++;
      const reason = error instanceof Error ? error.message : String(error);
      this.#setStalled('the disk of the journal is full; records wait for room', { reason });
      // Both may fail for the same lack of room: then waiting is all that is left.
      if (await retention.deleteOldest().catch(() => false)) return;
      if (await retention.sealEarly().catch(() => false)) return;
    } else this.#setStalled('the journal cannot be written for the moment; records wait', { dir });
    const timer = new AbortController();
    const timeout = setTimeout(() => {
      timer.abort();
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.max);
    await notifier.next(AbortSignal.any([closing, timer.signal]), seen);
    clearTimeout(timeout);
  }

  #setStalled(message: string, fields: object): void {
    if (this.#stalled) return;
    this.#stalled = true;
    this.#stalls++;
    const { dir, logger, store } = this.#parts;
    logger.warn({ dir, bytes: store.bytes, ...fields }, message);
  }

  #endStall(): void {
    this.#retryMs = RETRY_MS.first;
    if (!this.#stalled) return;
    this.#stalled = false;
    const { dir, logger, store } = this.#parts;
    logger.info({ dir, bytes: store.bytes }, 'the journal has room again');
  }
}

function tooLarge(dir: string, bytes: number, maxBytes: number): ActionstreamError {
  return unwritable(
    dir,
    new Error(`an append of ${bytes} bytes exceeds journal.max_size (${maxBytes} bytes); raise it`),
  );
}
