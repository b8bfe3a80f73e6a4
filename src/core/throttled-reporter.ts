import type { Logger } from './logger.ts';

/** Counts problems of the hot path and logs them at most once a second, with the last cause (invariant 9). */
export interface ThrottledReporter {
  note(cause: string): void;
  /** Logs what has been held back. */
  flush(): void;
}

export function createThrottledReporter(
  logger: Logger,
  { message, fields, intervalMs = 1000, now = () => performance.now() }: ReporterOptions,
): ThrottledReporter {
  let unreported = 0;
  let last: string | undefined;
  let reportedAt = -Infinity;
  const report = (): void => {
    reportedAt = now();
    logger.warn({ ...fields, count: unreported, last_cause: last }, message);
    unreported = 0;
  };
  return {
    note(cause) {
      unreported += 1;
      last = cause;
      if (now() - reportedAt >= intervalMs) report();
    },
    flush() {
      if (unreported > 0) report();
    },
  };
}

interface ReporterOptions {
  readonly message: string;
  readonly fields: object;
  readonly intervalMs?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}
