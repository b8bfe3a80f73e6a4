import { abortLater, backoffMs, isAborted, sleep } from '../core/abort.ts';
import { messageOf, toActionstreamError } from '../core/errors.ts';
import { silentLogger, type Logger } from '../core/logger.ts';
import type { RecordType } from '../core/records.ts';
import { RecordsRefused, type EventSink, type StoredRecord } from './event-sink.ts';
import { readBatch } from './batch-reader.ts';
import { createFailureReport, type FailureReport } from './failure-report.ts';
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
  return new SinkDelivery(options);
}

/**
 * States of a delivery:
 * - opening: `open` of the sink is repeated until it works.
 * - waiting: the sink holds all that is journalled, and no lagging type is due.
 * - reading: the next batch comes from the journal. A damaged part is skipped.
 * - writing: the batch is in flight, and repeated until the sink accepts it.
 * - retrying: one batch of a type that lags is tried once.
 * - over: the signal came, or the journal closed or failed.
 */
class SinkDelivery implements Delivery {
  readonly #journal: JournalConsumer;
  readonly #sink: EventSink;
  readonly #logger: Logger;
  readonly #batchRecords: number;
  readonly #graceMs: number;
  readonly #backoff: Backoff;
  readonly #lanesFile: string | undefined;
  /** What of the three fails now, and since when. */
  readonly #writing: FailureReport;
  readonly #reading: FailureReport;
  readonly #saving: FailureReport;
  readonly #waiters = createProgressWaiters();
  readonly #counters = { delivered: 0, batches: 0, retries: 0 };
  #lastDeliveredAtMs: number | undefined;
  /** Once the delivery runs. */
  #lagging: Lanes | undefined;

  constructor(options: DeliveryOptions) {
    const { journal, sink, logger = silentLogger, batchRecords = 1000, graceMs = 2000 } = options;
    this.#journal = journal;
    this.#sink = sink;
    this.#logger = logger;
    this.#batchRecords = batchRecords;
    this.#graceMs = graceMs;
    this.#backoff = options.backoff ?? { firstMs: 100, maxMs: 10_000 };
    this.#lanesFile = options.lanesFile;
    this.#writing = createFailureReport({ sink: sink.name }, logger, {
      failed: 'a sink does not accept records',
      recovered: 'the sink accepts records again',
    });
    this.#reading = createFailureReport({ sink: sink.name }, logger, {
      failed: 'the journal cannot be read',
      recovered: 'the journal can be read again',
    });
    this.#saving = createFailureReport({ sink: sink.name }, logger, {
      failed: 'a checkpoint cannot be saved; a crash now sends records again',
      recovered: 'checkpoints can be saved again',
    });
  }

  async run(outer: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([outer, this.#journal.failed]);
    if (!(await this.#untilDone((attempt) => this.#open(attempt), signal))) return;
    const lanes = await loadLanes(
      { sink: this.#sink.name, logger: this.#logger, backoff: this.#backoff, file: this.#lanesFile },
      this.#journal.checkpointOf(this.#sink.name),
    );
    this.#lagging = lanes;
    for (;;) {
      const work = await this.#untilWork(lanes, signal);
      if (work === 'over') return;
      if (work === 'records' && !(await this.#moveBatch(lanes, signal))) return;
      for (const type of lanes.due()) await this.#retryLagging(type, lanes, signal);
    }
  }

  drain(timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    const target = this.#journal.nextOffset;
    const isDone = (): boolean => this.#journal.checkpointOf(this.#sink.name) >= target;
    return this.#waiters.until(isDone, timeoutMs, signal);
  }

  stats(): DeliveryStats {
    const lastError = this.#writing.lastError() ?? this.#reading.lastError() ?? this.#lagging?.lastError;
    const lastDeliveredAtMs = this.#lastDeliveredAtMs;
    return {
      sink: this.#sink.name,
      ...this.#counters,
      ...(lastError === undefined ? {} : { lastError }),
      ...(lastDeliveredAtMs === undefined ? {} : { lastDeliveredAtMs }),
    };
  }

  /** A sink that is ready for some types of record is open. */
  async #open(signal: AbortSignal): Promise<void> {
    await this.#sink.open(signal).catch((error: unknown) => {
      if (!(error instanceof RecordsRefused)) throw error;
      this.#logger.error(
        { sink: this.#sink.name, reason: error.message },
        'a sink is not ready for every record',
      );
    });
  }

  /** Until there is a record to deliver, or a lagging type is due. */
  async #untilWork(lanes: Lanes, signal: AbortSignal): Promise<'records' | 'lagging' | 'over'> {
    if (isAborted(signal)) return 'over';
    const due = new AbortController();
    const wake = (): void => {
      due.abort();
    };
    const { dueInMs } = lanes;
    const timer = dueInMs === undefined ? undefined : setTimeout(wake, dueInMs);
    signal.addEventListener('abort', wake, { once: true });
    try {
      if (await this.#journal.waitFor(lanes.reached, due.signal)) return 'records';
      return due.signal.aborted && !isAborted(signal) ? 'lagging' : 'over';
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
    }
  }

  /** The next batch from the journal to the sink. False: the signal came first. */
  async #moveBatch(lanes: Lanes, signal: AbortSignal): Promise<boolean> {
    const batch = await readBatch(
      lanes.reached,
      {
        journal: this.#journal,
        records: this.#batchRecords,
        backoff: this.#backoff,
        report: this.#reading,
      },
      signal,
    );
    if (isAborted(signal)) return false;
    if (!(batch instanceof UnreadableRecords)) return this.#deliver(batch, lanes, signal);
    await this.#skip(batch, lanes);
    return true;
  }

  async #skip({ damage, message }: UnreadableRecords, lanes: Lanes): Promise<void> {
    const { path: file, position, endPosition, firstOffset, endOffset } = damage;
    const { name } = this.#sink;
    this.#logger.error(
      { sink: name, file, bytes: [position, endPosition], offsets: [firstOffset, endOffset] },
      `records are not delivered: ${message}; actionstream journal check tells more`,
    );
    lanes.advance(endOffset);
    await this.#journal.skip(name, damage, lanes.checkpoint).catch((error: unknown) => {
      this.#saving.failed(messageOf(error), 0);
    });
    this.#waiters.wake();
  }

  /** All of the batch but the types that lag. */
  async #deliver(batch: readonly StoredRecord[], lanes: Lanes, signal: AbortSignal): Promise<boolean> {
    const records = batch.filter(({ record }) => !lanes.isLagging(record.type));
    let accepted = 0;
    const attempt = async (attemptSignal: AbortSignal): Promise<void> => {
      accepted = await this.#write(records, lanes, attemptSignal);
    };
    if (!(await this.#untilDone(attempt, signal))) return false;
    lanes.advance((batch.at(-1)?.offset ?? lanes.reached - 1) + 1);
    await this.#recordProgress(lanes, accepted);
    return true;
  }

  /** Types that the sink refuses lag from here on. Returns how many records were accepted. */
  async #write(records: readonly StoredRecord[], lanes: Lanes, signal: AbortSignal): Promise<number> {
    try {
      if (records.length > 0) await this.#sink.write(records, signal);
      return records.length;
    } catch (error) {
      if (!(error instanceof RecordsRefused) || error.types.size === 0) throw error;
      this.#counters.retries++;
      for (const type of error.types) lanes.refuse(type, { records, error });
      return records.filter(({ record }) => !error.types.has(record.type)).length;
    }
  }

  /** One batch of a type that lags, tried once. */
  async #retryLagging(type: RecordType, lanes: Lanes, signal: AbortSignal): Promise<void> {
    const fromOffset = lanes.offsetOf(type);
    const records: StoredRecord[] = [];
    const grace = abortLater(signal, this.#graceMs);
    try {
      const batch = await this.#journal.read(fromOffset, this.#batchRecords);
      if (batch.length === 0) throw new Error(`record ${fromOffset} is not where it was written`);
      const passed = batch.filter(({ offset }) => offset < lanes.reached);
      records.push(...passed.filter(({ record }) => record.type === type));
      if (records.length > 0) await this.#sink.write(records, grace.signal);
      lanes.follow(type, (passed.at(-1)?.offset ?? lanes.reached - 1) + 1);
    } catch (error) {
      // The damage was counted and logged when the other types came by.
      if (error instanceof UnreadableRecords) lanes.follow(type, error.damage.endOffset);
      else if (isAborted(signal)) return;
      else {
        this.#counters.retries++;
        lanes.refuse(type, { records, error });
        return;
      }
    } finally {
      grace.cancel();
    }
    await this.#recordProgress(lanes, records.length);
  }

  /** Repeats `attempt` until it works. False: the signal came first. */
  async #untilDone(attempt: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<boolean> {
    for (let failures = 0; !isAborted(signal); failures++) {
      const grace = abortLater(signal, this.#graceMs);
      try {
        await attempt(grace.signal);
        this.#writing.recovered();
        return true;
      } catch (error) {
        if (isAborted(signal)) return false;
        this.#counters.retries++;
        const { retryable } = toActionstreamError(error);
        const delayMs = retryable ? backoffMs(failures, this.#backoff) : this.#backoff.maxMs;
        this.#writing.failed(messageOf(error), delayMs);
        await sleep(delayMs, signal);
      } finally {
        grace.cancel();
      }
    }
    return false;
  }

  /** Remembers how far the sink has come. What cannot be saved costs duplicates after a crash, no records. */
  async #recordProgress(lanes: Lanes, accepted: number): Promise<void> {
    if (accepted > 0) {
      this.#counters.delivered += accepted;
      this.#counters.batches++;
      this.#lastDeliveredAtMs = Date.now();
    }
    try {
      await lanes.save();
      await this.#journal.checkpoint(this.#sink.name, lanes.checkpoint);
      this.#saving.recovered();
    } catch (error) {
      this.#saving.failed(messageOf(error), 0);
    }
    this.#waiters.wake();
  }
}
