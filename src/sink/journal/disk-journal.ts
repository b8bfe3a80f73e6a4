import { sleep } from '../../core/abort.ts';
import { ActionstreamError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { ActionEvent, PublishedRecord } from '../../core/records.ts';
import type { StoredRecord } from '../event-sink.ts';
import { AppendQueue, type PendingAppend } from './append-queue.ts';
import { Bell } from './bell.ts';
import type { Consumers } from './consumers.ts';
import { encodeFrame } from './frame.ts';
import { applyRecord } from './open-episodes.ts';
import type { Retention } from './retention.ts';
import type { SegmentStore } from './segment-store.ts';
import { DiskFull, unwritable } from './segment-writer.ts';
import type { Appended, Journal, JournalStats } from './types.ts';

export interface JournalParts {
  readonly dir: string;
  readonly lock: AsyncDisposable;
  readonly logger: Logger;
  readonly maxBytes: number;
  readonly shedBytes: number;
  readonly consumers: Consumers;
  readonly store: SegmentStore;
  readonly retention: Retention;
  readonly openEpisodes: Map<string, ActionEvent>;
}

const DISK_FULL_RETRY_MS = { first: 100, max: 5000 };

/** The journal of a locked and recovered directory; `openJournal` makes it. */
export class DiskJournal implements Journal {
  readonly #parts: JournalParts;
  readonly #queue = new AppendQueue();
  readonly #closing = new AbortController();
  /** Woken when a record was appended, a checkpoint moved or the journal closes. */
  readonly #bell = new Bell();
  #shedRecords = 0;
  #diskFullRetries = 0;
  #stalled = false;
  #committing: Promise<void> | undefined;
  #failure: ActionstreamError | undefined;

  constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  get nextOffset(): number {
    return this.#parts.store.nextOffset;
  }

  append(records: readonly PublishedRecord[], signal?: AbortSignal): Promise<Appended> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#closing.signal.aborted) return Promise.reject(closedError(this.#parts.dir));
    const accepted = this.#shed(records);
    const shed = records.length - accepted.length;
    const { nextOffset } = this;
    if (accepted.length === 0) {
      return Promise.resolve({ firstOffset: nextOffset, lastOffset: nextOffset - 1, shed });
    }
    const appended = this.#queue.push(accepted, { shed, signal });
    this.#committing ??= this.#commitAll();
    return appended;
  }

  checkpointOf(consumer: string): number {
    return this.#parts.consumers.checkpointOf(consumer);
  }

  read(fromOffset: number, maxRecords: number): Promise<readonly StoredRecord[]> {
    return this.#parts.store.read(fromOffset, maxRecords);
  }

  async waitFor(offset: number, signal: AbortSignal): Promise<boolean> {
    while (offset >= this.nextOffset) {
      if (signal.aborted || this.#closing.signal.aborted) return false;
      await this.#bell.next(signal);
    }
    return true;
  }

  async checkpoint(consumer: string, nextOffset: number): Promise<void> {
    const { consumers, store } = this.#parts;
    if (nextOffset <= consumers.checkpointOf(consumer)) return;
    const oldestAtMs = nextOffset < this.nextOffset ? await store.recordedAt(nextOffset) : undefined;
    consumers.advance(consumer, nextOffset, oldestAtMs);
    // In memory first: on a full disk, the room that this may free is what the checkpoint's file needs.
    this.#bell.ring();
    await this.#parts.retention.deleteExpired();
    await consumers.save(consumer);
  }

  openEpisodes(): readonly ActionEvent[] {
    return [...this.#parts.openEpisodes.values()];
  }

  stats(): JournalStats {
    const { consumers, retention, store } = this.#parts;
    const lags = consumers.lags(this.nextOffset);
    const oldest = Math.min(...Object.values(lags).map(({ oldestAtMs }) => oldestAtMs ?? Infinity));
    return {
      bytes: store.bytes,
      undeliveredBytes: retention.undeliveredBytes,
      firstOffset: store.firstOffset,
      nextOffset: this.nextOffset,
      ...(Number.isFinite(oldest) ? { oldestUndeliveredAtMs: oldest } : {}),
      consumers: lags,
      shedRecords: this.#shedRecords,
      waitingAppends: this.#stalled ? Math.max(1, this.#queue.length) : 0,
      diskFullRetries: this.#diskFullRetries,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#bell.ring();
    await this.#committing;
    this.#queue.rejectAll(closedError(this.#parts.dir));
    await this.#parts.store[Symbol.asyncDispose]();
    // Without it, the next start reads the retained segments again: slower, and the same result.
    if (!this.#failure) await this.#parts.retention.snapshot().catch(() => undefined);
    await this.#parts.lock[Symbol.asyncDispose]();
  }

  #shed(records: readonly PublishedRecord[]): readonly PublishedRecord[] {
    const waiting = this.#parts.retention.undeliveredBytes + this.#queue.bytes;
    if (waiting < this.#parts.shedBytes) return records;
    const kept = records.filter(({ type }) => type !== 'clip.stats');
    this.#shedRecords += records.length - kept.length;
    return kept;
  }

  async #commitAll(): Promise<void> {
    // One turn of the microtask queue lets appends made together share the fsync.
    await Promise.resolve();
    try {
      while (this.#queue.length > 0 && (await this.#makeRoom())) await this.#commitGroup();
    } catch (error) {
      this.#fail(error);
    }
    this.#committing = undefined;
  }

  /** Waits until the first append fits. False: the journal closes. */
  async #makeRoom(): Promise<boolean> {
    const { dir, maxBytes, store } = this.#parts;
    for (;;) {
      const needed = this.#queue.neededBytes;
      if (needed > maxBytes)
        throw unwritable(dir, new Error(`${needed} bytes in one append exceed its limit`));
      if (store.bytes + needed <= maxBytes) break;
      if (await this.#parts.retention.deleteOldest()) continue;
      if (this.#closing.signal.aborted) return false;
      this.#setStalled(true, 'the journal is full of undelivered records; events wait for the sinks');
      await this.#bell.next(this.#closing.signal);
    }
    return true;
  }

  async #commitGroup(): Promise<void> {
    const { store } = this.#parts;
    const group = this.#queue.takeGroup(this.#parts.maxBytes - store.bytes);
    if (group.length === 0) return;
    const place = { firstOffset: this.nextOffset, recordedAtMs: Math.max(Date.now(), store.lastAtMs) };
    const encoded = group.flatMap((pending) => pending.encoded);
    try {
      await this.#write(encodeFrame(encoded, place), { count: encoded.length, ...place });
    } catch (error) {
      this.#queue.giveBack(group);
      throw error;
    }
    this.#accept(group, place);
  }

  /** Into the active file or a new one; a full disk is waited out. */
  async #write(
    frame: Buffer,
    content: { readonly count: number; readonly recordedAtMs: number },
  ): Promise<void> {
    const { dir, store } = this.#parts;
    const { first, max } = DISK_FULL_RETRY_MS;
    for (let delayMs = first; ; delayMs = Math.min(delayMs * 2, max)) {
      try {
        if (store.isFullFor(frame.length)) await this.#parts.retention.roll();
        await store.append(frame, content);
        this.#setStalled(false, 'the journal has room again');
        return;
      } catch (error) {
        if (!(error instanceof DiskFull)) throw error;
        if (this.#closing.signal.aborted) throw closedError(dir);
        this.#diskFullRetries++;
        this.#setStalled(true, `the disk of the journal is full: ${error.message}; records wait`);
        const freed = await this.#parts.retention.deleteOldest().catch(() => false);
        if (!freed) await sleep(delayMs, this.#closing.signal);
      }
    }
  }

  #accept(group: readonly PendingAppend[], place: { firstOffset: number; recordedAtMs: number }): void {
    const { consumers, openEpisodes } = this.#parts;
    consumers.noteAppended(place.firstOffset, place.recordedAtMs);
    let offset = place.firstOffset;
    for (const { records, shed, resolve } of group) {
      for (const record of records) applyRecord(openEpisodes, record);
      resolve({ firstOffset: offset, lastOffset: offset + records.length - 1, shed });
      offset += records.length;
    }
    this.#bell.ring();
  }

  #setStalled(stalled: boolean, message: string): void {
    if (this.#stalled === stalled) return;
    this.#stalled = stalled;
    const { dir, logger, retention, store } = this.#parts;
    const fields = { dir, bytes: store.bytes, undelivered_bytes: retention.undeliveredBytes };
    if (stalled) logger.warn(fields, message);
    else logger.info(fields, message);
  }

  #fail(error: unknown): void {
    const { dir, logger } = this.#parts;
    const failure = error instanceof ActionstreamError ? error : unwritable(dir, error);
    this.#failure = failure;
    if (failure.code !== 'ABORTED') logger.error({ dir }, failure.message);
    this.#queue.rejectAll(failure);
    this.#bell.ring();
  }
}

function closedError(dir: string): ActionstreamError {
  return new ActionstreamError('ABORTED', `the journal ${dir} was closed before the records were written`);
}
