/** Wakes everybody who waits for something to change. */
export class Bell {
  readonly #waiters = new Set<() => void>();

  ring(): void {
    for (const wake of this.#waiters) wake();
  }

  /** Resolves at the next ring or when the signal aborts. */
  next(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiters.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiters.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
