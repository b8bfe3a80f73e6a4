import { pino } from 'pino';
import type { Writable } from 'node:stream';
import type { Logger } from '../core/logger.ts';
import { redactUrls } from '../core/redact.ts';

/** JSON lines with `time`, `level` and `msg`; URLs lose user and password wherever they stand. */
export function createLogger(stream: Writable, level: string): Logger {
  const redacted = { write: (line: string) => stream.write(redactUrls(line)) };
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    redacted,
  );
}
