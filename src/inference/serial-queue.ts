import { at } from '../core/at.ts';
import { ActionstreamError } from '../core/errors.ts';

/** One task at a time, in the order of arrival. */
export interface SerialQueue {
  /**
   * Runs `task` when all before it are done. Its signal aborts with the caller's or when the queue closes; a task still
   * waiting then never starts, and the promise rejects with ABORTED.
   */
  run<T>(task: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /**
   * Several tasks in one turn, which ends when all have settled. `start` gets a signal for each, as `run` gives it, some of which may
   * have aborted before.
   */
  runTogether<T>(
    signals: readonly (AbortSignal | undefined)[],
    start: (signals: readonly AbortSignal[]) => readonly Promise<T>[],
  ): readonly Promise<T>[];
  /** Aborts the running task and all waiting ones; resolves once none is left. May be called again. */
  close(): Promise<void>;
}

/** `owner` names the queue's owner in errors. */
export function createSerialQueue(owner: string): SerialQueue {
  const running = new Set<AbortController>();
  let tail: Promise<unknown> = Promise.resolve();
  let closed = false;

  /** Not AbortSignal.any: Node 20 keeps its results alive as long as the caller's signal lives. */
  const enter = (signal: AbortSignal | undefined) => {
    const controller = new AbortController();
    const abort = (): void => {
      controller.abort();
    };
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    running.add(controller);
    const leave = (): void => {
      running.delete(controller);
      signal?.removeEventListener('abort', abort);
    };
    return { signal: controller.signal, leave };
  };

  const runTogether: SerialQueue['runTogether'] = (signals, start) => {
    if (closed) {
      const refused = new ActionstreamError('ABORTED', `${owner} has been disposed of`);
      return signals.map(() => Promise.reject(refused));
    }
    const members = signals.map(enter);
    const started = tail.then(() => start(members.map(({ signal }) => signal)));
    tail = started.then((results) => Promise.allSettled(results)).catch(() => undefined);
    return members.map(async ({ leave }, index) => {
      try {
        return await at(await started, index);
      } finally {
        leave();
      }
    });
  };

  return {
    run: (task, signal) => {
      const turns = runTogether([signal], (signals) => [startUnlessAborted(task, at(signals, 0))]);
      return at(turns, 0);
    },
    runTogether,
    async close() {
      closed = true;
      for (const controller of running) controller.abort();
      await tail;
    },
  };
}

async function startUnlessAborted<T>(
  task: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  throwIfAborted(signal);
  return task(signal);
}

/** @throws ActionstreamError ABORTED */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new ActionstreamError('ABORTED', 'inference was interrupted');
}
