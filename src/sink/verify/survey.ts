import { recordIdOf, type PublishedRecord, type RecordType } from '../../core/records.ts';
import { sourceOf } from '../kafka/cloud-event.ts';
import type { StoredRecord } from '../event-sink.ts';
import { contentsOf } from './contents.ts';
import type { JournalView, TimeRange } from './journal-view.ts';
import { Provenance } from './provenance.ts';
import { createColumn, createRecordIndex, DIGEST_WORDS, digestWords } from './record-index.ts';

export type SinkName = 'kafka' | 'postgres';

/** What a record is, in the order of its codes in the survey. */
export const TYPES: readonly RecordType[] = ['action.event', 'clip.stats', 'stream.status'];

/** Marks of a record: which sinks must hold it, and whether its time was asked for. */
const MARK = { kafka: 1, postgres: 2, inRange: 4 } as const;

/**
 * Every identity of the journal, numbered in the journal's order, with what is compared
 * of it: about 50 bytes each, outside of the JavaScript heap, whatever the records weigh.
 */
export class Survey {
  readonly provenance: Provenance;
  /** Records that a sink has not received yet. */
  readonly undelivered: Record<SinkName, number> = { kafka: 0, postgres: 0 };
  readonly #view: JournalView;
  readonly #range: TimeRange;
  readonly #index = createRecordIndex();
  readonly #episodes = createRecordIndex();
  /** A file that was run again with other results: the contents of the repetitions. */
  readonly #variants = createRecordIndex();
  /** Since the first one. */
  readonly #offsets = createColumn(Uint32Array);
  readonly #digests = createColumn(Uint32Array, DIGEST_WORDS);
  readonly #streamCodes = createColumn(Uint32Array);
  readonly #types = createColumn(Uint8Array);
  readonly #marks = createColumn(Uint8Array);
  #askedAtMs: number;
  readonly #streamNumbers = new Map<string, number>();
  readonly #streams: string[] = [];

  constructor(
    view: JournalView,
    { range, isCurrent }: { readonly range: TimeRange; readonly isCurrent: boolean },
  ) {
    this.provenance = new Provenance(isCurrent);
    this.#view = view;
    this.#range = range;
    this.#askedAtMs = view.openedAtMs;
  }

  /** Reads the whole journal. */
  async read(): Promise<void> {
    for await (const page of this.#view.pages()) for (const stored of page) this.#add(stored, false);
  }

  /**
   * Before a record is called unknown: reads what was appended meanwhile, unless the
   * record is older than the last look. No sink need hold what is new, and each may.
   */
  async refresh(recordedAtMs: number): Promise<void> {
    if (recordedAtMs <= this.#askedAtMs) return;
    this.#askedAtMs = Date.now();
    for await (const page of this.#view.newPages()) for (const stored of page) this.#add(stored, true);
  }

  get size(): number {
    return this.#index.size;
  }

  get episodes(): number {
    return this.#episodes.size;
  }

  /** All streams of which the journal holds records. */
  get streams(): readonly string[] {
    return this.#streams;
  }

  numberOf(id: string): number | undefined {
    return this.#index.numberOf(id);
  }

  hasEpisode(episodeId: string): boolean {
    return this.#episodes.numberOf(episodeId) !== undefined;
  }

  isDue(number: number, sink: SinkName): boolean {
    return (this.#marks.value(number) & MARK[sink]) !== 0;
  }

  /** Was this time asked for? */
  covers(recordedAtMs: number): boolean {
    return this.#range.fromMs <= recordedAtMs && recordedAtMs < this.#range.toMs;
  }

  isInRange(number: number): boolean {
    return (this.#marks.value(number) & MARK.inRange) !== 0;
  }

  typeOf(number: number): RecordType {
    return TYPES[this.#types.value(number)] ?? 'action.event';
  }

  streamOf(number: number): string {
    return this.#streams[this.#streamCodes.value(number)] ?? '';
  }

  offsetOf(number: number): number {
    return this.#view.firstOffset + this.#offsets.value(number);
  }

  hasContents(number: number, contents: string): boolean {
    const words = digestWords(contents);
    return (
      this.#digests.equals(number, words) ||
      (this.#variants.size > 0 && this.#variants.numberOf(variantId(number, words)) !== undefined)
    );
  }

  #add(stored: StoredRecord, isNew: boolean): void {
    const { offset, record, recordedAtMs } = stored;
    this.provenance.add(stored);
    if (record.type === 'action.event') this.#episodes.add(record.payload.episode_id);
    const known = this.#index.size;
    const number = this.#index.add(idOf(record));
    const words = digestWords(contentsOf(record, recordedAtMs));
    if (number === known) {
      this.#offsets.set(number, [offset - this.#view.firstOffset]);
      this.#digests.set(number, words);
      this.#streamCodes.set(number, [this.#streamNumberOf(record.payload.stream_id)]);
      this.#types.set(number, [TYPES.indexOf(record.type)]);
    } else if (!this.#digests.equals(number, words)) this.#variants.add(variantId(number, words));
    if (this.covers(recordedAtMs)) this.#mark(number, { offset, isNew });
  }

  #mark(number: number, { offset, isNew }: { readonly offset: number; readonly isNew: boolean }): void {
    let marks = this.#marks.value(number) | MARK.inRange;
    for (const sink of isNew ? [] : (['kafka', 'postgres'] as const)) {
      const { since, nextOffset } = this.#view.checkpointOf(sink);
      if (offset >= nextOffset) this.undelivered[sink] += 1;
      else if (offset >= since) marks |= MARK[sink];
    }
    this.#marks.set(number, [marks]);
  }

  #streamNumberOf(stream: string): number {
    const known = this.#streamNumbers.get(stream);
    if (known !== undefined) return known;
    this.#streamNumbers.set(stream, this.#streams.length);
    return this.#streams.push(stream) - 1;
  }
}

/** Identity of a record in every sink: with the source, ids of other instances do not collide. */
export function idOf(record: PublishedRecord): string {
  return `${sourceOf(record)} ${recordIdOf(record)}`;
}

function variantId(number: number, words: Uint32Array): string {
  return `${number} ${words.join(' ')}`;
}
