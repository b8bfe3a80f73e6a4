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

/** Aborts `delayMs` after `signal` does; `cancel` when nobody needs it any more. */
export function abortLater(
  signal: AbortSignal,
  delayMs: number,
): { readonly signal: AbortSignal; readonly cancel: () => void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(() => {
      controller.abort();
    }, delayMs);
  };
  if (signal.aborted) start();
  else signal.addEventListener('abort', start, { once: true });
  return {
    signal: controller.signal,
    cancel: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', start);
    },
  };
}

/** True when `work` ended in time, false after `ms`; what it rejects with is thrown. */
export async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([work.then(() => true), sleep(ms, timer.signal).then(() => false)]);
  } finally {
    timer.abort();
  }
}

/**
 * Asks anew every time, where the compiler takes an earlier answer for granted:
 * a signal may abort while we await.
 */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Why one stream is asked to end while the others go on. */
export type StopReason = 'paused' | 'changed' | 'removed' | 'moved';

/** The reason of the signal that ends one stream. Without one, the whole run ends. */
export class StreamStopped extends Error {
  readonly why: StopReason;

  constructor(why: StopReason) {
    super(`the stream was ${why}`);
    this.name = 'AbortError';
    this.why = why;
  }
}

/** Undefined where the signal has not aborted, or ends more than one stream. */
export function stopReasonOf(signal: AbortSignal): StopReason | undefined {
  return signal.reason instanceof StreamStopped ? signal.reason.why : undefined;
}
