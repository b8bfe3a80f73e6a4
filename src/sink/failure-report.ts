import type { Logger } from '../core/logger.ts';

export interface FailureReport {
  failed(cause: string, retryInMs: number): void;
  recovered(): void;
  lastError(): string | undefined;
}

/** Says at most once a second that something fails, with the last cause, and once that it works again. */
export function createFailureReport(
  fields: object,
  logger: Logger,
  messages: { readonly failed: string; readonly recovered: string },
): FailureReport {
  let cause: string | undefined;
  let failures = 0;
  let lastSaidAtMs = -Infinity;
  return {
    failed(why, retryInMs) {
      cause = why;
      failures++;
      if (performance.now() - lastSaidAtMs < 1000) return;
      lastSaidAtMs = performance.now();
      logger.warn({ ...fields, failures, retry_in_ms: Math.round(retryInMs), reason: why }, messages.failed);
    },
    recovered() {
      if (cause === undefined) return;
      logger.info({ ...fields, failures }, messages.recovered);
      cause = undefined;
      failures = 0;
    },
    lastError: () => cause,
  };
}
