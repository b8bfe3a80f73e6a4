import type { StoredRecord } from '../event-sink.ts';

/** Where a record in a sink says that it comes from. */
export interface Origin {
  readonly instance: string;
  readonly streamId: string;
  /** Of a file's record: its run. */
  readonly runId?: string | undefined;
  /** When its journal took it, ms since 1970; NaN where it does not say. */
  readonly recordedAtMs: number;
}

/**
 * Decides whether a record that the journal does not hold claims to come from it.
 *
 * - It names an instance and a stream of which the journal holds records: others
 *   may feed the same topics and tables. Of a file it names a run of which the
 *   journal holds records: each journal of an instance has runs of its own.
 * - It was journalled after the journal's oldest record, since segments before
 *   are deleted, and before the journal was put aside for another one.
 * - It was not journalled within a hole, where records of the journal are damaged and lost.
 */
export class Provenance {
  /** No other journal of these instances and streams has come after it. */
  readonly isCurrent: boolean;
  readonly #sources = new Set<string>();
  readonly #runs = new Set<string>();
  readonly #holes: { readonly fromMs: number; readonly toMs: number }[] = [];
  #firstAtMs = Infinity;
  #lastAtMs = -Infinity;
  #isWhole = false;
  /** When the first event of a whole journal was made; before its journal took it. */
  #firstMadeAtMs = Infinity;
  #nextOffset: number | undefined;
  #lost = 0;

  constructor(isCurrent: boolean) {
    this.isCurrent = isCurrent;
  }

  /** Takes the records of the journal in order. */
  add({ offset, recordedAtMs, record }: StoredRecord): void {
    if (this.#nextOffset === undefined) {
      this.#firstAtMs = recordedAtMs;
      this.#isWhole = offset === 0;
    } else if (offset > this.#nextOffset) {
      this.#holes.push({ fromMs: this.#lastAtMs, toMs: recordedAtMs });
      this.#lost += offset - this.#nextOffset;
    }
    if (this.#isWhole && record.type === 'action.event')
      this.#firstMadeAtMs = Math.min(this.#firstMadeAtMs, Date.parse(record.payload.time.processed_at));
    this.#nextOffset = offset + 1;
    this.#lastAtMs = recordedAtMs;
    const { pipeline, stream_id: streamId, run_id: runId } = record.payload;
    this.#sources.add(keyOf(pipeline.instance, streamId));
    if (runId !== undefined) this.#runs.add(keyOf(pipeline.instance, streamId, runId));
  }

  /** Records between the first and the last one that the journal no longer holds. */
  get lost(): number {
    return this.#lost;
  }

  /** When the oldest record was journalled; Infinity where there is none. */
  get firstAtMs(): number {
    return this.#firstAtMs;
  }

  /** When the oldest event was made, as far as none is deleted. */
  get firstMadeAtMs(): number {
    return Math.min(this.#firstAtMs, this.#firstMadeAtMs);
  }

  /** Of a file: the run as well, where the record names one. */
  hasSource({ instance, streamId, runId }: Omit<Origin, 'recordedAtMs'>): boolean {
    return runId === undefined
      ? this.#sources.has(keyOf(instance, streamId))
      : this.#runs.has(keyOf(instance, streamId, runId));
  }

  /**
   * Of an event that says when it was made, `recordedAtMs`, and not when it was journalled, shortly after.
   */
  claimsMade(origin: Origin): boolean {
    const isEarly = this.#isWhole && origin.recordedAtMs < this.#firstAtMs;
    return isEarly
      ? this.hasSource(origin) && origin.recordedAtMs >= this.#firstMadeAtMs
      : this.claims(origin);
  }

  claims({ recordedAtMs, ...source }: Origin): boolean {
    if (!this.hasSource(source)) return false;
    // Ours say when they were journalled, so one that does not was made by somebody else in our name.
    if (Number.isNaN(recordedAtMs)) return true;
    // Of records taken in the oldest one's millisecond, a deleted segment may hold some.
    const isAfter = this.#isWhole ? recordedAtMs >= this.#firstAtMs : recordedAtMs > this.#firstAtMs;
    if (!isAfter || (recordedAtMs > this.#lastAtMs && !this.isCurrent)) return false;
    return !this.#holes.some(({ fromMs, toMs }) => fromMs <= recordedAtMs && recordedAtMs <= toMs);
  }
}

function keyOf(...names: readonly string[]): string {
  return names.join('\n');
}
