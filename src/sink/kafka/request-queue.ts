import { createRequire } from 'node:module';

/** What we know of kafkajs' queue of requests: one per connection. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

const RECHECK_MS = 10;

/**
 * Mends a fault of kafkajs 2.2.4, for every client of this process: its queue of requests
 * checks itself again after every check, even when it is empty. That is a timer of 1 ms
 * for as long as a connection lives (kafkajs#1704). Its delay is negative, of which Node
 * 24 warns (kafkajs#1751). After the mend only requests that wait are checked again.
 */
export function mendRequestQueue(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as {
    readonly prototype: RequestQueue;
  };
  prototype.scheduleCheckPendingRequests = scheduleCheck;
}

function scheduleCheck(this: RequestQueue): void {
  if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return;
  const delayMs = Math.max(this.throttledUntil - Date.now(), RECHECK_MS);
  this.throttleCheckTimeoutId = setTimeout(() => {
    this.throttleCheckTimeoutId = null;
    this.checkPendingRequests();
  }, delayMs);
}
