/** Resolves after `ms`, or at once when the signal aborts; never rejects. Leaves no timer behind. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal?.addEventListener('abort', finish, { once: true });
  });
}

/** Delay before retry `attempt` (0, 1, …): `firstMs`·2^attempt up to `maxMs`, with ±20 % jitter. */
export function backoffMs(
  attempt: number,
  { firstMs, maxMs, random = Math.random }: { firstMs: number; maxMs: number; random?: () => number },
): number {
  const base = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
  return Math.min(maxMs, base * (0.8 + 0.4 * random()));
}
