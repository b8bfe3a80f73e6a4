import { toActionstreamError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { createDelivery } from '../sink/delivery.ts';
import type { EventSink } from '../sink/event-sink.ts';
import type { Journal } from '../sink/journal/types.ts';

/** The delivery workers of a run, one a sink. */
export interface Deliveries {
  /**
   * Waits until everything is delivered that the journal holds, within the deadline of how the run ended (a signal that
   * comes while waiting shortens it), ends the workers, and says how many records each sink still lacks.
   */
  finish(signal: AbortSignal): Promise<Readonly<Record<string, number>>>;
}

/** How long a run waits at its end for its sinks: after the last file, and when told to stop. */
const DRAIN_MS = { ended: 30_000, stopped: 5000 } as const;

export function startDeliveries(journal: Journal, sinks: readonly EventSink[], logger: Logger): Deliveries {
  const stop = new AbortController();
  const workers = sinks.map((sink) => {
    const delivery = createDelivery({ journal, sink, logger });
    const running = delivery.run(stop.signal).catch((error: unknown) => {
      logger.error({ sink: sink.name, cause: toActionstreamError(error).message }, 'delivery ended');
    });
    return { sink, delivery, running };
  });
  const drain = (timeoutMs: number): Promise<unknown> =>
    Promise.all(workers.map(({ delivery }) => delivery.drain(timeoutMs)));

  return {
    async finish(signal) {
      if (signal.aborted) await drain(DRAIN_MS.stopped);
      else await Promise.race([drain(DRAIN_MS.ended), abortOf(signal).then(() => drain(DRAIN_MS.stopped))]);
      stop.abort();
      await Promise.all(workers.map(({ running }) => running));
      const { consumers } = journal.stats();
      return Object.fromEntries(sinks.map(({ name }) => [name, consumers[name]?.records ?? 0]));
    },
  };
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
