import { abortLater, backoffMs, isAborted, sleep } from '../core/abort.ts';
import { messageOf, toActionstreamError } from '../core/errors.ts';
import { silentLogger, type Logger } from '../core/logger.ts';
import type { RecordType } from '../core/records.ts';
import { RecordsRefused, type EventSink, type StoredRecord } from './event-sink.ts';
import { readBatch } from './batch-reader.ts';
import { createFailureReport } from './failure-report.ts';
import { UnreadableRecords } from './journal/corruption.ts';
import type { JournalConsumer } from './journal/types.ts';
import { loadLanes, type Backoff, type Lanes } from './lanes.ts';
import { createProgressWaiters } from './progress-waiters.ts';

export interface DeliveryOptions {
  /** Opened with the sink's name among its consumers. */
  readonly journal: JournalConsumer;
  readonly sink: EventSink;
  readonly logger?: Logger;
  /** Records in one write; Kafka takes a request per topic of it. Default 1000. */
  readonly batchRecords?: number;
  /** Delay before the first and the later repetitions, doubled each time. Default 100 ms → 10 s. */
  readonly backoff?: Backoff;
  /** How long the batch in flight may go on after the abort. Default 2 s. */
  readonly graceMs?: number;
  /** Keeps the offsets of types of record that lag behind the others. Default: in memory only. */
  readonly lanesFile?: string;
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
   * - Writing: exactly one batch is in flight. A failed one is repeated for ever, so a
   *   sink that is down delays and never loses. An error that is not retryable waits the
   *   longest delay each time: somebody has to put it right, and nobody has to restart us.
   *   Types of record that the sink refuses while it accepts others wait alone (lanes.ts).
   * - Reading: an error of the file system is repeated with the same back-off. A damaged part of
   *   a finished file is skipped, frame by frame; its records are counted and logged as an error.
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * True once all is delivered that the journal held at the call; false after `timeoutMs` or at the abort.
   */
  drain(timeoutMs: number, signal?: AbortSignal): Promise<boolean>;
  stats(): DeliveryStats;
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { journal, sink, logger = silentLogger, batchRecords = 1000, graceMs = 2000 } = options;
  const backoff = options.backoff ?? { firstMs: 100, maxMs: 10_000 };
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
  const waiters = createProgressWaiters();
  const counters = { delivered: 0, batches: 0, retries: 0 };
  let lastDeliveredAtMs: number | undefined;
  /** Once the delivery runs. */
  let lagging: Lanes | undefined;

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
        counters.retries++;
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

  async function skip({ damage, message }: UnreadableRecords, lanes: Lanes): Promise<void> {
    const { path: file, position, endPosition, firstOffset, endOffset } = damage;
    logger.error(
      { sink: sink.name, file, bytes: [position, endPosition], offsets: [firstOffset, endOffset] },
      `records are not delivered: ${message}; actionstream journal check tells more`,
    );
    lanes.advance(endOffset);
    await journal.skip(sink.name, damage, lanes.checkpoint).catch((error: unknown) => {
      saving.failed(messageOf(error), 0);
    });
    waiters.wake();
  }

  /** All of the batch but the types that lag. */
  async function deliver(
    batch: readonly StoredRecord[],
    lanes: Lanes,
    signal: AbortSignal,
  ): Promise<boolean> {
    const records = batch.filter(({ record }) => !lanes.isLagging(record.type));
    let accepted = 0;
    const attempt = async (attemptSignal: AbortSignal): Promise<void> => {
      accepted = await write(records, lanes, attemptSignal);
    };
    if (!(await untilDone(attempt, signal))) return false;
    lanes.advance((batch.at(-1)?.offset ?? lanes.reached - 1) + 1);
    await recordProgress(lanes, accepted);
    return true;
  }

  /** Types that the sink refuses lag from here on. Returns how many records were accepted. */
  async function write(records: readonly StoredRecord[], lanes: Lanes, signal: AbortSignal): Promise<number> {
    try {
      if (records.length > 0) await sink.write(records, signal);
      return records.length;
    } catch (error) {
      if (!(error instanceof RecordsRefused) || error.types.size === 0) throw error;
      counters.retries++;
      for (const type of error.types) lanes.refuse(type, { records, error });
      return records.filter(({ record }) => !error.types.has(record.type)).length;
    }
  }

  /** One batch of a type that lags, tried once. */
  async function retryLagging(type: RecordType, lanes: Lanes, signal: AbortSignal): Promise<void> {
    const fromOffset = lanes.offsetOf(type);
    const records: StoredRecord[] = [];
    const grace = abortLater(signal, graceMs);
    try {
      const batch = await journal.read(fromOffset, batchRecords);
      if (batch.length === 0) throw new Error(`record ${fromOffset} is not where it was written`);
      const passed = batch.filter(({ offset }) => offset < lanes.reached);
      records.push(...passed.filter(({ record }) => record.type === type));
      if (records.length > 0) await sink.write(records, grace.signal);
      lanes.follow(type, (passed.at(-1)?.offset ?? lanes.reached - 1) + 1);
    } catch (error) {
      // The damage was counted and logged when the other types came by.
      if (error instanceof UnreadableRecords) lanes.follow(type, error.damage.endOffset);
      else if (isAborted(signal)) return;
      else {
        counters.retries++;
        lanes.refuse(type, { records, error });
        return;
      }
    } finally {
      grace.cancel();
    }
    await recordProgress(lanes, records.length);
  }

  /** Remembers how far the sink has come. What cannot be saved costs duplicates after a crash, no records. */
  async function recordProgress(lanes: Lanes, accepted: number): Promise<void> {
    if (accepted > 0) {
      counters.delivered += accepted;
      counters.batches++;
      lastDeliveredAtMs = Date.now();
    }
    try {
      await lanes.save();
      await journal.checkpoint(sink.name, lanes.checkpoint);
      saving.recovered();
    } catch (error) {
      saving.failed(messageOf(error), 0);
    }
    waiters.wake();
  }

  /** Until there is a record to deliver, or a lagging type is due. */
  async function untilWork(lanes: Lanes, signal: AbortSignal): Promise<'records' | 'lagging' | 'over'> {
    if (isAborted(signal)) return 'over';
    const due = new AbortController();
    const wake = (): void => {
      due.abort();
    };
    const { dueInMs } = lanes;
    const timer = dueInMs === undefined ? undefined : setTimeout(wake, dueInMs);
    signal.addEventListener('abort', wake, { once: true });
    try {
      if (await journal.waitFor(lanes.reached, due.signal)) return 'records';
      return due.signal.aborted && !isAborted(signal) ? 'lagging' : 'over';
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
    }
  }

  /** A sink that is ready for some types of record is open. */
  async function open(signal: AbortSignal): Promise<void> {
    await sink.open(signal).catch((error: unknown) => {
      if (!(error instanceof RecordsRefused)) throw error;
      logger.error({ sink: sink.name, reason: error.message }, 'a sink is not ready for every record');
    });
  }

  return {
    async run(outer) {
      const signal = AbortSignal.any([outer, journal.failed]);
      if (!(await untilDone(open, signal))) return;
      const lanes = await loadLanes(
        { sink: sink.name, logger, backoff, file: options.lanesFile },
        journal.checkpointOf(sink.name),
      );
      lagging = lanes;
      for (;;) {
        const work = await untilWork(lanes, signal);
        if (work === 'over') return;
        if (work === 'records') {
          const batch = await readBatch(
            lanes.reached,
            { journal, records: batchRecords, backoff, report: reading },
            signal,
          );
          if (isAborted(signal)) return;
          if (batch instanceof UnreadableRecords) await skip(batch, lanes);
          else if (!(await deliver(batch, lanes, signal))) return;
        }
        for (const type of lanes.due()) await retryLagging(type, lanes, signal);
      }
    },
    drain(timeoutMs, signal) {
      const target = journal.nextOffset;
      return waiters.until(() => journal.checkpointOf(sink.name) >= target, timeoutMs, signal);
    },
    stats() {
      const lastError = report.lastError() ?? reading.lastError() ?? lagging?.lastError;
      return {
        sink: sink.name,
        ...counters,
        ...(lastError === undefined ? {} : { lastError }),
        ...(lastDeliveredAtMs === undefined ? {} : { lastDeliveredAtMs }),
      };
    },
  };
}
