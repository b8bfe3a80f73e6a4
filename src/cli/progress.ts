import type { CliIo } from './io.ts';

/** A progress bar on one line of a terminal; silent where the stream is no terminal. */
export interface Progress {
  /** `done` in [0, 1]. */
  show(done: number, note: string): void;
  /** Removes the bar so that other output may follow. */
  clear(): void;
}

const CLEAR_LINE = '\r\u001b[2K';
const BAR_WIDTH = 30;

export function createProgress(stream: CliIo['stderr']): Progress {
  if (stream.isTTY !== true) return { show: () => undefined, clear: () => undefined };
  return {
    show(done, note) {
      const filled = Math.round(Math.min(1, Math.max(0, done)) * BAR_WIDTH);
      const bar = '█'.repeat(filled).padEnd(BAR_WIDTH, '░');
      const line = `${bar} ${String(Math.round(done * 100)).padStart(3)} %  ${note}`;
      stream.write(`${CLEAR_LINE}${line.slice(0, (stream.columns ?? 80) - 1)}`);
    },
    clear() {
      stream.write(CLEAR_LINE);
    },
  };
}
