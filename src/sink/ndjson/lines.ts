import type { PublishedRecord, RecordType } from '../../core/records.ts';
import type { StoredRecord } from '../event-sink.ts';

/** One line a record, `{"type": …, "payload": …}`; empty where none of the types is there. */
export function linesOf(batch: readonly StoredRecord[], types: readonly RecordType[] | undefined): string {
  const records: PublishedRecord[] = batch.map(({ record }) => record);
  return records
    .filter(({ type }) => types?.includes(type) ?? true)
    .map((record) => `${JSON.stringify(record)}\n`)
    .join('');
}
