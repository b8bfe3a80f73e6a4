import { pino } from 'pino';
import type { Writable } from 'node:stream';
import { ActionstreamError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { redactUrls } from '../core/redact.ts';

/** JSON lines with `time`, `level`, `msg` and, of errors, `err.type`: their code; URLs lose user and password wherever they stand. */
export function createLogger(stream: Writable, level: string): Logger {
  const redacted = { write: (line: string) => stream.write(redactUrls(line)) };
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      serializers: { err: describeError },
      formatters: { level: (label) => ({ level: label }) },
    },
    redacted,
  );
}

/** Errors of ours say where they come from in words; only a foreign one needs its stack. */
function describeError(error: unknown): unknown {
  if (error instanceof ActionstreamError) return { type: error.code, message: error.message };
  if (error instanceof Error) return { type: error.name, message: error.message, stack: error.stack };
  return error;
}
