/** When an idle engine begins: with how many clips, and how long it waits for more. */
export interface Batching {
  /** Clips of one call, each of another stream. 1: every clip by itself, at once. */
  readonly maxClips: number;
  /** Counted from when the oldest of the waiting clips was ready. */
  readonly maxWaitMs: number;
}

export const ONE_BY_ONE: Batching = { maxClips: 1, maxWaitMs: 0 };

/**
 * How long an idle engine waits for more clips; 0: it begins.
 *
 * @param readyMs when each of the waiting clips was ready
 * @param others streams of the engine that have no clip waiting, but may bring one
 */
export function waitForMore(
  { maxClips, maxWaitMs }: Batching,
  readyMs: readonly number[],
  { others, nowMs }: { readonly others: number; readonly nowMs: number },
): number {
  if (readyMs.length >= maxClips || others === 0) return 0;
  return Math.max(0, Math.min(...readyMs) + maxWaitMs - nowMs);
}
