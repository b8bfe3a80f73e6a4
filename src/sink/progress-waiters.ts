/** Those who wait until a delivery has come far enough. */
export interface ProgressWaiters {
  /** True once `isDone` holds after some progress; false after `timeoutMs`. */
  until(isDone: () => boolean, timeoutMs: number): Promise<boolean>;
  /** To be called after each progress. */
  wake(): void;
}

export function createProgressWaiters(): ProgressWaiters {
  const waiting = new Set<() => void>();
  return {
    async until(isDone, timeoutMs) {
      if (isDone()) return true;
      await new Promise<void>((resolve) => {
        const finish = (): void => {
          clearTimeout(timer);
          waiting.delete(check);
          resolve();
        };
        const check = (): void => {
          if (isDone()) finish();
        };
        const timer = setTimeout(finish, timeoutMs);
        waiting.add(check);
      });
      return isDone();
    },
    wake() {
      for (const check of waiting) check();
    },
  };
}
