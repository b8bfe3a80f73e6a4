/** Wakes everybody who waits for something to change. */
export class Notifier {
  readonly #waiters = new Set<() => void>();
  #count = 0;

  /** Number of notifications so far. Read it before you look at what may change, and pass it to `next`. */
  get count(): number {
    return this.#count;
  }

  notify(): void {
    this.#count++;
    for (const wake of this.#waiters) wake();
  }

  /** Resolves at the first notification after `seen`, or when the signal aborts. */
  next(signal: AbortSignal, seen = this.#count): Promise<void> {
    if (signal.aborted || this.#count !== seen) return Promise.resolve();
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
