import { ActionstreamError } from '../core/errors.ts';

/** One task at a time, in the order of arrival. */
export interface SerialQueue {
  /**
   * Runs `task` when all before it are done. Its signal aborts with the caller's or when the queue closes; a task still
   * waiting then never starts, and the promise rejects with ABORTED.
   */
  run<T>(task: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Aborts the running task and all waiting ones; resolves once none is left. May be called again. */
  close(): Promise<void>;
}

/** `owner` names the queue's owner in errors. */
export function createSerialQueue(owner: string): SerialQueue {
  const running = new Set<AbortController>();
  let tail: Promise<unknown> = Promise.resolve();
  let closed = false;

  const run = async <T>(task: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> => {
    if (closed) throw new ActionstreamError('ABORTED', `${owner} has been disposed of`);
    // Not AbortSignal.any: Node 20 keeps its results alive as long as the caller's signal lives.
    const controller = new AbortController();
    const abort = (): void => {
      controller.abort();
    };
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    running.add(controller);
    const turn = tail.then(() => {
      throwIfAborted(controller.signal);
      return task(controller.signal);
    });
    tail = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      running.delete(controller);
      signal?.removeEventListener('abort', abort);
    }
  };

  return {
    run,
    async close() {
      closed = true;
      for (const controller of running) controller.abort();
      await tail;
    },
  };
}

/** @throws ActionstreamError ABORTED */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new ActionstreamError('ABORTED', 'inference was interrupted');
}
