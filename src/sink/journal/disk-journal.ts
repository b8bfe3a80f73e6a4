import { ActionstreamError, toActionstreamError } from '../../core/errors.ts';
import type { ActionEvent, PublishedRecord } from '../../core/records.ts';
import type { StoredRecord } from '../event-sink.ts';
import { CommitLoop, type CommitParts } from './commit-loop.ts';
import { UnreadableRecords, type Damage } from './corruption.ts';
import { Notifier } from './notifier.ts';
import { unwritable } from './segment-writer.ts';
import type { Appended, Journal, JournalStats } from './types.ts';

interface JournalParts extends CommitParts {
  readonly shedBytes: number;
}

// How often the file being written is looked up in its directory.
const LOOK_MS = 2000;

/** The journal of a locked and recovered directory; `openJournal` makes it. */
export class DiskJournal implements Journal {
  readonly #parts: JournalParts;
  readonly #loop: CommitLoop;
  readonly #closing = new AbortController();
  readonly #failed = new AbortController();
  /** Notified when a record was appended, a checkpoint moved or the journal closes. */
  readonly #notifier = new Notifier();
  readonly #looking: NodeJS.Timeout;
  #shedRecords = 0;
  #isShedding = false;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#loop = new CommitLoop({
      ...parts,
      notifier: this.#notifier,
      closing: this.#closing.signal,
      onFailure: (error) => {
        this.#fail(error);
      },
    });
    const { lost } = parts.lock;
    const onLost = (): void => {
      this.#fail(lost.reason);
    };
    if (lost.aborted) onLost();
    else lost.addEventListener('abort', onLost, { once: true });
    this.#looking = setInterval(() => void this.#look(), LOOK_MS).unref();
  }

  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  get nextOffset(): number {
    return this.#parts.store.nextOffset;
  }

  append(records: readonly PublishedRecord[], signal?: AbortSignal): Promise<Appended> {
    if (this.failed.aborted) return Promise.reject(toActionstreamError(this.failed.reason));
    if (this.#closing.signal.aborted) return Promise.reject(closedError(this.#parts.dir));
    const accepted = this.#shed(records);
    const shed = records.length - accepted.length;
    const { nextOffset } = this;
    if (accepted.length === 0) {
      return Promise.resolve({ firstOffset: nextOffset, lastOffset: nextOffset - 1, shed });
    }
    return this.#loop.append(accepted, { shed, signal });
  }

  get dir(): string {
    return this.#parts.dir;
  }

  allowOverrun(): void {
    this.#loop.allowOverrun();
  }

  checkpointOf(consumer: string): number {
    return this.#parts.consumers.checkpointOf(consumer);
  }

  async read(fromOffset: number, maxRecords: number): Promise<readonly StoredRecord[]> {
    try {
      return await this.#parts.store.read(fromOffset, maxRecords);
    } catch (error) {
      const isBroken = error instanceof ActionstreamError && !(error instanceof UnreadableRecords);
      if (isBroken && error.code === 'JOURNAL_CORRUPT') this.#fail(error);
      throw error;
    }
  }

  async waitFor(offset: number, signal: AbortSignal): Promise<boolean> {
    while (offset >= this.nextOffset) {
      if (signal.aborted || this.#closing.signal.aborted || this.failed.aborted) return false;
      await this.#notifier.next(signal);
    }
    return true;
  }

  async checkpoint(consumer: string, nextOffset: number): Promise<void> {
    const { consumers, lock, reserve, retention, store } = this.#parts;
    if (nextOffset <= consumers.checkpointOf(consumer)) return;
    const oldestAtMs =
      nextOffset < this.nextOffset ? await store.recordedAt(nextOffset).catch(() => undefined) : undefined;
    consumers.advance(consumer, nextOffset, oldestAtMs);
    // In memory first: on a full disk, the room that this may free is what the checkpoint's file needs.
    this.#notifier.notify();
    if (this.failed.aborted) throw toActionstreamError(this.failed.reason);
    await lock.confirm();
    await retention.deleteExpired();
    await reserve.around(() => consumers.save(consumer, store.nextOffset));
  }

  async skip(consumer: string, damage: Damage, nextOffset = damage.endOffset): Promise<void> {
    const { consumers } = this.#parts;
    const from = Math.max(damage.firstOffset, consumers.checkpointOf(consumer));
    consumers.noteUnreadable(consumer, Math.max(0, damage.endOffset - from));
    await this.checkpoint(consumer, nextOffset);
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
      idleRecords: consumers.idleRecords(this.nextOffset),
      shedRecords: this.#shedRecords,
      unreadableRecords: consumers.losses.unreadable,
      givenUpRecords: consumers.losses.givenUp,
      ...this.#loop.stats,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearInterval(this.#looking);
    this.#notifier.notify();
    await this.#loop.stopped();
    this.#loop.rejectAll(closedError(this.#parts.dir));
    const { lock, retention, store } = this.#parts;
    await store[Symbol.asyncDispose]();
    // Without it, the next start reads the retained segments again: slower, and the same result.
    if (!this.failed.aborted) await retention.snapshot().catch(() => undefined);
    await lock[Symbol.asyncDispose]();
  }

  #shed(records: readonly PublishedRecord[]): readonly PublishedRecord[] {
    const { dir, logger, retention, shedBytes } = this.#parts;
    const undelivered = retention.undeliveredBytes;
    const isShedding = undelivered + this.#loop.waitingBytes >= shedBytes;
    const fields = { dir, undelivered_bytes: undelivered, limit_bytes: Math.floor(shedBytes) };
    if (isShedding && !this.#isShedding)
      logger.warn(fields, 'the journal is nearly full: clip statistics are refused until the sinks catch up');
    if (!isShedding && this.#isShedding) logger.info(fields, 'clip statistics are accepted again');
    this.#isShedding = isShedding;
    if (!isShedding) return records;
    const kept = records.filter(({ type }) => type !== 'clip.stats');
    this.#shedRecords += records.length - kept.length;
    return kept;
  }

  /**
   * Finds out that the file being written was deleted: the operating system writes on without a complaint.
   */
  async #look(): Promise<void> {
    const { dir, lock, store } = this.#parts;
    if (await store.isInPlace().catch(() => true)) return;
    // Where the whole directory or the lock is gone too, that is the better explanation.
    await lock.look().catch(() => undefined);
    if (this.#closing.signal.aborted) return;
    this.#fail(
      unwritable(dir, new Error('the file being written was deleted or replaced by another program')),
    );
  }

  #fail(error: unknown): void {
    if (this.failed.aborted) return;
    const { dir, logger } = this.#parts;
    const failure = error instanceof ActionstreamError ? error : unwritable(dir, error);
    clearInterval(this.#looking);
    this.#failed.abort(failure);
    logger.error({ dir, code: failure.code }, failure.message);
    this.#loop.rejectAll(failure);
    this.#notifier.notify();
  }
}

function closedError(dir: string): ActionstreamError {
  return new ActionstreamError('ABORTED', `the journal ${dir} was closed before the records were written`);
}
