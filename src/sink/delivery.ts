import { abortLater, backoffMs, sleep } from '../core/abort.ts';
import { messageOf, toActionstreamError } from '../core/errors.ts';
import { silentLogger, type Logger } from '../core/logger.ts';
import type { EventSink, StoredRecord } from './event-sink.ts';
import { createFailureReport } from './failure-report.ts';
import { UnreadableRecords } from './journal/corruption.ts';
import type { JournalConsumer } from './journal/types.ts';

export interface DeliveryOptions {
  /** Opened with the sink's name among its consumers. */
  readonly journal: JournalConsumer;
  readonly sink: EventSink;
  readonly logger?: Logger;
  /** Records in one write. Default 500. */
  readonly batchRecords?: number;
  /** Delay before the first and the later repetitions, doubled each time. Default 100 ms → 30 s. */
  readonly backoff?: { readonly firstMs: number; readonly maxMs: number };
  /** How long the batch in flight may go on after the abort. Default 2 s. */
  readonly graceMs?: number;
}

interface DeliveryStats {
  readonly sink: string;
  readonly delivered: number;
  readonly batches: number;
  readonly retries: number;
  /** Since the last write that worked; empty where the last one did. */
  readonly lastError?: string;
  /** When the last batch was accepted, ms since 1970. */
  readonly lastDeliveredAtMs?: number;
}

/** Moves records from the journal to one sink, at least once and in order. */
export interface Delivery {
  /**
   * Blocks until the signal aborts or the journal closes or fails.
   * - Writing: exactly one batch is in flight. A failed one is repeated for ever, so a sink that is down delays and never
   *   loses. An error that is not retryable waits the longest delay each time: somebody has to put it right, and nobody
   *   has to restart us.
   * - Reading: an error of the file system is repeated with the same back-off. A damaged part of a finished file is
   *   skipped, frame by frame; its records are counted and logged as an error.
   */
  run(signal: AbortSignal): Promise<void>;
  /** True once everything is delivered that the journal held at the call; false after `timeoutMs`. */
  drain(timeoutMs: number): Promise<boolean>;
  stats(): DeliveryStats;
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { journal, sink, logger = silentLogger, batchRecords = 500, graceMs = 2000 } = options;
  const backoff = options.backoff ?? { firstMs: 100, maxMs: 30_000 };
  const report = createFailureReport({ sink: sink.name }, logger, {
    failed: 'a sink does not accept records',
    recovered: 'the sink accepts records again',
  });
  const reading = createFailureReport({ sink: sink.name }, logger, {
    failed: 'the journal cannot be read',
    recovered: 'the journal can be read again',
  });
  const saving = createFailureReport({ sink: sink.name }, logger, {
    failed: 'a checkpoint cannot be saved; a crash now sends records again',
    recovered: 'checkpoints can be saved again',
  });
  const drained = new Set<() => void>();
  let counters = { delivered: 0, batches: 0, retries: 0 };
  let lastDeliveredAtMs: number | undefined;

  /** Repeats `attempt` until it works. False: the signal came first. */
  async function untilDone(
    attempt: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<boolean> {
    for (let failures = 0; !isAborted(signal); failures++) {
      const grace = abortLater(signal, graceMs);
      try {
        await attempt(grace.signal);
        report.recovered();
        return true;
      } catch (error) {
        if (isAborted(signal)) return false;
        counters = { ...counters, retries: counters.retries + 1 };
        const { retryable } = toActionstreamError(error);
        const delayMs = retryable ? backoffMs(failures, backoff) : backoff.maxMs;
        report.failed(messageOf(error), delayMs);
        await sleep(delayMs, signal);
      } finally {
        grace.cancel();
      }
    }
    return false;
  }

  /** Repeats the read until it works; empty where the signal came first. */
  async function readBatch(
    fromOffset: number,
    signal: AbortSignal,
  ): Promise<readonly StoredRecord[] | UnreadableRecords> {
    for (let failures = 0; !isAborted(signal); failures++) {
      try {
        const batch = await journal.read(fromOffset, batchRecords);
        if (batch.length === 0) throw new Error(`record ${fromOffset} is not where it was written`);
        reading.recovered();
        return batch;
      } catch (error) {
        if (error instanceof UnreadableRecords) return error;
        const delayMs = backoffMs(failures, backoff);
        reading.failed(messageOf(error), delayMs);
        await sleep(delayMs, signal);
      }
    }
    return [];
  }

  async function skip({ damage, message }: UnreadableRecords): Promise<number> {
    const { path: file, position, endPosition, firstOffset, endOffset } = damage;
    logger.error(
      { sink: sink.name, file, bytes: [position, endPosition], offsets: [firstOffset, endOffset] },
      `records are not delivered: ${message}; actionstream journal check tells more`,
    );
    const nextOffset = await journal.skip(sink.name, damage).catch((error: unknown) => {
      saving.failed(messageOf(error), 0);
      return endOffset;
    });
    wakeDrained();
    return nextOffset;
  }

  async function deliver(batch: readonly StoredRecord[], signal: AbortSignal): Promise<boolean> {
    if (!(await untilDone((attemptSignal) => sink.write(batch, attemptSignal), signal))) return false;
    const nextOffset = (batch.at(-1)?.offset ?? -1) + 1;
    counters = { ...counters, delivered: counters.delivered + batch.length, batches: counters.batches + 1 };
    lastDeliveredAtMs = Date.now();
    // A checkpoint that cannot be saved costs duplicates after a crash, no records.
    await journal.checkpoint(sink.name, nextOffset).then(
      () => {
        saving.recovered();
      },
      (error: unknown) => {
        saving.failed(messageOf(error), 0);
      },
    );
    wakeDrained();
    return true;
  }

  function wakeDrained(): void {
    for (const wake of drained) wake();
  }

  return {
    async run(outer) {
      const signal = AbortSignal.any([outer, journal.failed]);
      if (!(await untilDone(() => sink.open(signal), signal))) return;
      let nextOffset = journal.checkpointOf(sink.name);
      while (await journal.waitFor(nextOffset, signal)) {
        const batch = await readBatch(nextOffset, signal);
        if (isAborted(signal)) return;
        if (batch instanceof UnreadableRecords) {
          nextOffset = await skip(batch);
          continue;
        }
        if (!(await deliver(batch, signal))) return;
        nextOffset = (batch.at(-1)?.offset ?? nextOffset - 1) + 1;
      }
    },
    async drain(timeoutMs) {
      const target = journal.nextOffset;
      const isDone = (): boolean => journal.checkpointOf(sink.name) >= target;
      if (isDone()) return true;
      await new Promise<void>((resolve) => {
        const finish = (): void => {
          clearTimeout(timer);
          drained.delete(check);
          resolve();
        };
        const check = (): void => {
          if (isDone()) finish();
        };
        const timer = setTimeout(finish, timeoutMs);
        drained.add(check);
      });
      return isDone();
    },
    stats() {
      const lastError = report.lastError() ?? reading.lastError();
      return {
        sink: sink.name,
        ...counters,
        ...(lastError === undefined ? {} : { lastError }),
        ...(lastDeliveredAtMs === undefined ? {} : { lastDeliveredAtMs }),
      };
    },
  };
}

/** Asked anew every time: it changes while we await. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
