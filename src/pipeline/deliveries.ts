import { join } from 'node:path';
import { endsWithin, isAborted } from '../core/abort.ts';
import { toActionstreamError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { createDelivery } from '../sink/delivery.ts';
import { RecordsRefused, type EventSink } from '../sink/event-sink.ts';
import type { Journal } from '../sink/journal/types.ts';

/** What did not reach the sinks, in records of each. */
export interface DeliveryReport {
  /** Still in the journal, for the next run. */
  readonly undelivered: Readonly<Record<string, number>>;
  /** Damaged in the journal: no run will deliver them. */
  readonly unreadable: Readonly<Record<string, number>>;
}

/** The delivery workers of a run, one a sink. Disposing ends them. */
export interface Deliveries extends AsyncDisposable {
  /** True once the sink holds all that the journal holds at the call; false where the signal comes first. */
  caughtUp(sink: string, signal: AbortSignal): Promise<boolean>;
  /**
   * Waits until everything is delivered that the journal holds, within the deadline of how the run ended.
   * A signal that comes while waiting shortens the deadline. Then it ends the workers and reports what
   * each sink lacks.
   */
  finish(signal: AbortSignal): Promise<DeliveryReport>;
}

/** How long a run waits at its end for its sinks: after the last file, and after a signal. */
const DRAIN_MS = { ended: 30_000, stopped: 5000 } as const;
/** The longest that a timer can wait: 24 days. */
const FOREVER_MS = 2 ** 31 - 1;
/**
 * The batch in flight may continue so long. A client that hears no signal is left behind after as much
 * again.
 */
const BATCH_MS = 1000;

/** A sink that cannot be reached at the start delays; one that refuses us stops the start. */
const FIRST_OPEN_MS = 5000;

/** Asks every sink once, all at the same time. @throws the refusal of the first that refuses us */
export async function openSinksOnce(
  sinks: readonly EventSink[],
  signal: AbortSignal,
  logger: Logger,
): Promise<void> {
  await Promise.all(
    sinks.map(async (sink) => {
      try {
        await sink.open(AbortSignal.any([signal, AbortSignal.timeout(FIRST_OPEN_MS)]));
      } catch (error) {
        const { retryable, code, message } = toActionstreamError(error);
        if (error instanceof RecordsRefused && !error.isWhole) {
          logger.error({ sink: sink.name, reason: message }, 'sink refuses some types of record; these wait');
          return;
        }
        if (!retryable && code !== 'ABORTED') throw error;
        logger.warn(
          { sink: sink.name, cause: message },
          'sink cannot be reached yet; records wait in the journal',
        );
      }
    }),
  );
}

export function startDeliveries(journal: Journal, sinks: readonly EventSink[], logger: Logger): Deliveries {
  const stop = new AbortController();
  const workers = sinks.map((sink) => {
    const lanesFile = join(journal.dir, 'lanes', `${sink.name}.json`);
    const delivery = createDelivery({ journal, sink, logger, lanesFile, graceMs: BATCH_MS });
    const running = delivery.run(stop.signal).catch((error: unknown) => {
      logger.error({ sink: sink.name, cause: toActionstreamError(error).message }, 'delivery ended');
    });
    return { sink, delivery, running };
  });
  const drain = (timeoutMs: number, signal?: AbortSignal): Promise<unknown> =>
    Promise.all(workers.map(({ delivery }) => delivery.drain(timeoutMs, signal)));

  const end = async (): Promise<void> => {
    stop.abort();
    await Promise.all(
      workers.map(async ({ sink, running }) => {
        if (await endsWithin(running, 2 * BATCH_MS)) return;
        logger.error(
          { sink: sink.name },
          'a sink does not end its write; its last batch is sent again by the next run',
        );
      }),
    );
  };

  return {
    async caughtUp(name, signal) {
      const delivery = workers.find(({ sink }) => sink.name === name)?.delivery;
      return (await delivery?.drain(FOREVER_MS, signal)) ?? false;
    },
    async finish(signal) {
      if (!signal.aborted) await drain(DRAIN_MS.ended, signal);
      if (isAborted(signal)) await drain(DRAIN_MS.stopped);
      await end();
      const { consumers, unreadableRecords } = journal.stats();
      const undelivered = Object.fromEntries(sinks.map(({ name }) => [name, consumers[name]?.records ?? 0]));
      return { undelivered, unreadable: unreadableRecords };
    },
    [Symbol.asyncDispose]: end,
  };
}
