/** Those who wait until a delivery has come far enough. */
export interface ProgressWaiters {
  /**
   * True once `isDone` holds after some progress; false after `timeoutMs`, or where the signal came first.
   */
  until(isDone: () => boolean, timeoutMs: number, signal?: AbortSignal): Promise<boolean>;
  /** To be called after each progress. */
  wake(): void;
}

export function createProgressWaiters(): ProgressWaiters {
  const waiting = new Set<() => void>();
  return {
    async until(isDone, timeoutMs, signal) {
      if (isDone()) return true;
      if (signal?.aborted) return false;
      await new Promise<void>((resolve) => {
        const finish = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', finish);
          waiting.delete(check);
          resolve();
        };
        const check = (): void => {
          if (isDone()) finish();
        };
        const timer = setTimeout(finish, timeoutMs);
        signal?.addEventListener('abort', finish, { once: true });
        waiting.add(check);
      });
      return isDone();
    },
    wake() {
      for (const check of waiting) check();
    },
  };
}
