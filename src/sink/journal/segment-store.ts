import type { StoredRecord } from '../event-sink.ts';
import type { EntryIndex, PlacedRead } from './entry-index.ts';
import type { SegmentFile } from './recover.ts';
import { openSegmentWriter, removeSegment, type SegmentWriter } from './segment-writer.ts';

interface StoreParts {
  readonly dir: string;
  readonly index: EntryIndex;
  readonly fsync: boolean;
  readonly segmentBytes: number;
  readonly closed: readonly SegmentFile[];
  readonly writer: SegmentWriter;
  readonly lastAtMs: number;
  readonly nextOffset: number;
}

/** The files of a journal: closed ones, oldest first, and the one being written. One writer at a time. */
export class SegmentStore implements AsyncDisposable {
  readonly #parts: StoreParts;
  #closed: SegmentFile[];
  #writer: SegmentWriter;
  #lastAtMs: number;
  #nextOffset: number;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.#closed = [...parts.closed];
    this.#writer = parts.writer;
    this.#lastAtMs = parts.lastAtMs;
    this.#nextOffset = parts.nextOffset;
  }

  get firstOffset(): number {
    return this.#closed[0]?.baseOffset ?? this.#writer.baseOffset;
  }

  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** When the newest record was journalled, ms since 1970; never decreases. */
  get lastAtMs(): number {
    return this.#lastAtMs;
  }

  get bytes(): number {
    return this.#closed.reduce((sum, { bytes }) => sum + bytes, this.#writer.bytes);
  }

  /** Bytes of the file being written. */
  get activeBytes(): number {
    return this.#writer.bytes;
  }

  /** Bytes of the files that hold a record at or after `passedOffset`. */
  bytesFrom(passedOffset: number): number {
    const closed = this.#closed.filter(({ endOffset }) => endOffset > passedOffset);
    const active = this.#nextOffset > passedOffset ? this.#writer.bytes : 0;
    return closed.reduce((sum, { bytes }) => sum + bytes, active);
  }

  /** Would this entry begin a new file? */
  isFullFor(bytes: number): boolean {
    return this.#writer.bytes > 0 && this.#writer.bytes + bytes > this.#parts.segmentBytes;
  }

  /** False where the file being written was deleted or replaced by somebody else. */
  async isInPlace(): Promise<boolean> {
    const writer = this.#writer;
    const isThere = await writer.isInPlace();
    // Closed in the meantime, it may have been deleted by ourselves.
    return isThere || writer !== this.#writer;
  }

  /** Durable when it resolves. @throws DiskFull, JOURNAL_UNWRITABLE */
  async append(
    entry: Buffer,
    { count, recordedAtMs }: { count: number; recordedAtMs: number },
  ): Promise<void> {
    const { baseOffset, bytes: position } = this.#writer;
    await this.#writer.append(entry);
    const placed = { firstOffset: this.#nextOffset, count, recordedAtMs, length: entry.length, position };
    this.#parts.index.add(baseOffset, placed);
    this.#nextOffset += count;
    this.#lastAtMs = recordedAtMs;
  }

  /** Closes the active file and begins the next. @throws DiskFull, JOURNAL_UNWRITABLE */
  async roll(): Promise<void> {
    const { dir, fsync } = this.#parts;
    const previous = this.#writer;
    const baseOffset = this.#nextOffset;
    this.#writer = await openSegmentWriter(dir, { baseOffset, bytes: 0, fsync });
    this.#closed.push({
      baseOffset: previous.baseOffset,
      endOffset: baseOffset,
      bytes: previous.bytes,
      lastAtMs: this.#lastAtMs,
    });
    await previous[Symbol.asyncDispose]();
  }

  /** The oldest closed file, if everything in it lies before `passedOffset`. */
  deletable(passedOffset: number): SegmentFile | undefined {
    const oldest = this.#closed[0];
    return oldest && oldest.endOffset <= passedOffset ? oldest : undefined;
  }

  /** True where the active file is the only one and lies wholly before `passedOffset`. */
  isSpent(passedOffset: number): boolean {
    return this.#closed.length === 0 && this.#writer.bytes > 0 && passedOffset >= this.#nextOffset;
  }

  async delete(segment: SegmentFile): Promise<void> {
    this.#closed = this.#closed.filter((other) => other !== segment);
    this.#parts.index.forget(segment.baseOffset);
    await removeSegment(this.#parts.dir, segment.baseOffset);
  }

  async read(fromOffset: number, maxRecords: number): Promise<readonly StoredRecord[]> {
    const from = Math.max(fromOffset, this.firstOffset);
    if (from >= this.#nextOffset) return [];
    const count = Math.min(maxRecords, this.#nextOffset - from);
    return this.#parts.index.read({ ...this.#placeOf(from), fromOffset: from, maxRecords: count });
  }

  recordedAt(offset: number): Promise<number | undefined> {
    return this.#parts.index.recordedAt(this.#placeOf(offset), offset);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
  }

  #placeOf(offset: number): Pick<PlacedRead, 'baseOffset' | 'endOffset'> {
    if (offset >= this.#writer.baseOffset) return { baseOffset: this.#writer.baseOffset };
    const segment = this.#closed.findLast(({ baseOffset }) => baseOffset <= offset);
    return segment ?? { baseOffset: this.#writer.baseOffset };
  }
}
