import type { Logger } from './logger.ts';
import { monotonicMs } from './time.ts';

/**
 * For problems on the hot path (invariant 9): counts them and logs at most once a second, with the number since the
 * last line and the last cause. The first problem is logged at once; `flush` logs what is still unsaid.
 */
export interface ProblemReporter {
  report(cause: string): void;
  flush(): void;
}

export function createProblemReporter(logger: Logger, what: string, intervalMs = 1000): ProblemReporter {
  let unsaid = 0;
  let lastCause = '';
  let lastSaidMs = -Infinity;

  const flush = (): void => {
    if (unsaid === 0) return;
    logger.warn({ count: unsaid, last_cause: lastCause }, what);
    unsaid = 0;
    lastSaidMs = monotonicMs();
  };

  return {
    report(cause) {
      unsaid += 1;
      lastCause = cause;
      if (monotonicMs() - lastSaidMs >= intervalMs) flush();
    },
    flush,
  };
}
