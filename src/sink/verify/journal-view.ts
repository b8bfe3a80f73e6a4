import { ActionstreamError } from '../../core/errors.ts';
import type { StoredRecord } from '../event-sink.ts';
import type { Checkpoint } from '../journal/checkpoints.ts';
import { UnreadableRecords } from '../journal/corruption.ts';
import { openJournalReader, type JournalReader } from '../journal/reader.ts';

/** Records journalled in [fromMs, toMs), ms since 1970. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A journal as it was when it was opened, which its owner may go on writing. */
export interface JournalView {
  /** Whatever was journalled before this time, ms since 1970, is within the bounds. */
  readonly openedAtMs: number;
  readonly firstOffset: number;
  readonly nextOffset: number;
  /** Offsets [since, nextOffset) are what the sink has received. */
  checkpointOf(sink: string): Pick<Checkpoint, 'since' | 'nextOffset'>;
  /** All records in order; a page is held at a time. */
  pages(): AsyncIterable<readonly StoredRecord[]>;
  /** What has been appended since the opening or since the last call. */
  newPages(): AsyncIterable<readonly StoredRecord[]>;
  /** Undefined where its owner has deleted it meanwhile. */
  recordAt(offset: number): Promise<StoredRecord | undefined>;
}

/** And no more bytes than one read of the journal takes. */
const PAGE_RECORDS = 1000;

/** @throws INPUT_INVALID, JOURNAL_CORRUPT */
export async function openJournalView(
  dir: string,
  { sinks, signal }: { readonly sinks: readonly string[]; readonly signal: AbortSignal },
): Promise<JournalView> {
  const reader = await openJournalReader(dir);
  // Checkpoints first: whatever they have passed is then within the bounds.
  const checkpoints = new Map<string, Checkpoint>();
  for (const sink of sinks) {
    const checkpoint = await reader.checkpointOf(sink);
    if (checkpoint) checkpoints.set(sink, checkpoint);
  }
  const openedAtMs = Date.now();
  const { firstOffset, nextOffset } = await reader.bounds();
  let seen = nextOffset;
  return {
    openedAtMs,
    firstOffset,
    nextOffset,
    checkpointOf: (sink) => checkpoints.get(sink) ?? { since: 0, nextOffset: 0 },
    pages: () => readPages(reader, { from: firstOffset, end: nextOffset, signal }),
    async *newPages() {
      const from = seen;
      seen = Math.max(seen, (await reader.bounds()).nextOffset);
      yield* readPages(reader, { from, end: seen, signal });
    },
    async recordAt(offset) {
      const [record] = await reader.read(offset, 1);
      return record?.offset === offset ? record : undefined;
    },
  };
}

async function* readPages(
  reader: JournalReader,
  { from, end, signal }: { readonly from: number; readonly end: number; readonly signal: AbortSignal },
): AsyncGenerator<readonly StoredRecord[], void, undefined> {
  for (let offset = from; offset < end;) {
    if (signal.aborted) throw new ActionstreamError('ABORTED', 'interrupted while the journal was read');
    const page = await reader.read(offset, Math.min(PAGE_RECORDS, end - offset)).catch((error: unknown) => {
      if (error instanceof UnreadableRecords) return error.damage;
      throw error;
    });
    if (!('at' in page)) {
      offset = page.endOffset;
      continue;
    }
    const last = page.at(-1);
    if (!last) return;
    // The running instance may have deleted the oldest segment meanwhile: then
    // the page begins later than asked.
    yield page.filter((record) => record.offset < end);
    offset = last.offset + 1;
  }
}
