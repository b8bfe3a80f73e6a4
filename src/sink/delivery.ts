import { backoffMs, sleep } from '../core/abort.ts';
import { messageOf, toActionstreamError } from '../core/errors.ts';
import { silentLogger, type Logger } from '../core/logger.ts';
import type { EventSink, StoredRecord } from './event-sink.ts';
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
   * Blocks until the signal aborts. Exactly one batch is in flight; a failed one is repeated for ever, so a sink that
   * is down delays and never loses. An error that is not retryable waits the longest delay each time: somebody has
   * to put it right, and nobody has to restart us. Rejects only where the journal itself is damaged.
   */
  run(signal: AbortSignal): Promise<void>;
  /** True once everything is delivered that the journal held at the call; false after `timeoutMs`. */
  drain(timeoutMs: number): Promise<boolean>;
  stats(): DeliveryStats;
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { journal, sink, logger = silentLogger, batchRecords = 500, graceMs = 2000 } = options;
  const backoff = options.backoff ?? { firstMs: 100, maxMs: 30_000 };
  const report = createFailureReport(sink.name, logger);
  const drained = new Set<() => void>();
  let counters = { delivered: 0, batches: 0, retries: 0 };
  let lastDeliveredAtMs: number | undefined;

  /** Repeats `attempt` until it works. False: the signal came first. */
  async function untilDone(
    attempt: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<boolean> {
    for (let failures = 0; !isAborted(signal); failures++) {
      const grace = delayedAbort(signal, graceMs);
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

  async function deliver(batch: readonly StoredRecord[], signal: AbortSignal): Promise<boolean> {
    if (!(await untilDone((attemptSignal) => sink.write(batch, attemptSignal), signal))) return false;
    const nextOffset = (batch.at(-1)?.offset ?? -1) + 1;
    counters = { ...counters, delivered: counters.delivered + batch.length, batches: counters.batches + 1 };
    lastDeliveredAtMs = Date.now();
    // A checkpoint that cannot be saved costs duplicates after a crash, no records.
    await journal.checkpoint(sink.name, nextOffset).catch((error: unknown) => {
      report.failed(`its checkpoint could not be saved: ${messageOf(error)}`, 0);
    });
    for (const wake of drained) wake();
    return true;
  }

  return {
    async run(signal) {
      if (!(await untilDone(() => sink.open(signal), signal))) return;
      let nextOffset = journal.checkpointOf(sink.name);
      while (await journal.waitFor(nextOffset, signal)) {
        const batch = await journal.read(nextOffset, batchRecords);
        if (signal.aborted || !(await deliver(batch, signal))) return;
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
      const lastError = report.lastError();
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

/** Aborts `delayMs` after `signal` does. */
function delayedAbort(signal: AbortSignal, delayMs: number): { signal: AbortSignal; cancel: () => void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(() => {
      controller.abort();
    }, delayMs);
  };
  signal.addEventListener('abort', start, { once: true });
  return {
    signal: controller.signal,
    cancel: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', start);
    },
  };
}

interface FailureReport {
  failed(cause: string, retryInMs: number): void;
  recovered(): void;
  lastError(): string | undefined;
}

/** Says at most once a second that a sink fails, with the last cause, and once that it works again. */
function createFailureReport(sink: string, logger: Logger): FailureReport {
  let cause: string | undefined;
  let failures = 0;
  let lastSaidAtMs = -Infinity;
  return {
    failed(why, retryInMs) {
      cause = why;
      failures++;
      if (performance.now() - lastSaidAtMs < 1000) return;
      lastSaidAtMs = performance.now();
      logger.warn(
        { sink, failures, retry_in_ms: Math.round(retryInMs), reason: why },
        'a sink does not accept records',
      );
    },
    recovered() {
      if (cause === undefined) return;
      logger.info({ sink, failures }, 'the sink accepts records again');
      cause = undefined;
      failures = 0;
    },
    lastError: () => cause,
  };
}
