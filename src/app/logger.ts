import { pino } from 'pino';
import type { Writable } from 'node:stream';
import { ActionstreamError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { redact, redactDeep } from '../core/redact.ts';

/**
 * JSON lines with `time`, `level`, `msg` and, of errors, `err.type`: their
 * code; secrets go from every text in them.
 */
export function createLogger(stream: Writable, level: string): Logger {
  const log = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      serializers: { err: describeError },
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line: string) => {
        if (stream.writableLength < UNREAD_BYTES) stream.write(line);
      },
    },
  );
  const at =
    (name: keyof Logger): Logger['info'] =>
    (fields, message) => {
      log[name](redactDeep(fields) as object, redact(message));
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A reader that has stopped reading must not fill our memory. */
const UNREAD_BYTES = 1024 * 1024;

/** Errors of ours say where they come from in words; only a foreign one needs its stack. */
function describeError(error: unknown): unknown {
  if (error instanceof ActionstreamError) return { type: error.code, message: redact(error.message) };
  if (error instanceof Error) {
    return { type: error.name, message: redact(error.message), stack: redact(error.stack ?? '') };
  }
  return error;
}
