import { backoffMs, sleep } from '../core/abort.ts';
import { messageOf } from '../core/errors.ts';
import type { StoredRecord } from './event-sink.ts';
import type { FailureReport } from './failure-report.ts';
import { UnreadableRecords } from './journal/corruption.ts';
import type { JournalConsumer } from './journal/types.ts';
import type { Backoff } from './lanes.ts';

export interface BatchReaderOptions {
  readonly journal: JournalConsumer;
  readonly records: number;
  readonly backoff: Backoff;
  readonly report: FailureReport;
}

/** Repeats the read until it works; empty where the signal came first. */
export async function readBatch(
  fromOffset: number,
  { journal, records, backoff, report }: BatchReaderOptions,
  signal: AbortSignal,
): Promise<readonly StoredRecord[] | UnreadableRecords> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const batch = await journal.read(fromOffset, records);
      if (batch.length === 0) throw new Error(`record ${fromOffset} is not where it was written`);
      report.recovered();
      return batch;
    } catch (error) {
      if (error instanceof UnreadableRecords) return error;
      const delayMs = backoffMs(failures, backoff);
      report.failed(messageOf(error), delayMs);
      await sleep(delayMs, signal);
    }
  }
  return [];
}
