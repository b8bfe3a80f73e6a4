import type { StoredRecord } from '../event-sink.ts';
import type { JournalReader } from '../journal/reader.ts';

/** The records of a journal that a sink should have; read anew, page by page, as often as asked. */
export interface JournalSlice {
  /** In order; a page is held at a time. */
  pages(): AsyncIterable<readonly StoredRecord[]>;
  /** Records after them, which the sink has yet to receive. */
  readonly undelivered: number;
}

export interface JournalBounds {
  readonly firstOffset: number;
  readonly nextOffset: number;
}

const PAGE_RECORDS = 1000;

/** What `consumer` has passed; all of it where none is named. */
export async function journalSlice(
  reader: JournalReader,
  { firstOffset, nextOffset }: JournalBounds,
  consumer?: string,
): Promise<JournalSlice> {
  const checkpoint = consumer === undefined ? nextOffset : ((await reader.checkpointOf(consumer)) ?? 0);
  const end = Math.min(nextOffset, checkpoint);
  return {
    pages: () => readPages(reader, firstOffset, end),
    undelivered: nextOffset - Math.max(end, firstOffset),
  };
}

async function* readPages(
  reader: JournalReader,
  from: number,
  end: number,
): AsyncGenerator<readonly StoredRecord[], void, undefined> {
  for (let offset = from; offset < end;) {
    const page = await reader.read(offset, Math.min(PAGE_RECORDS, end - offset));
    const last = page.at(-1);
    if (!last) return;
    // The running instance may have deleted the oldest segment meanwhile: then the page begins later than asked.
    yield page.filter((record) => record.offset < end);
    offset = last.offset + 1;
  }
}
