import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { PublishedRecord } from '../../src/core/records.ts';

const MAIN = path.join(import.meta.dirname, '..', '..', 'dist', 'main.js');

export interface RunningActionstream {
  readonly exited: Promise<number | null>;
  /** As an operator would: SIGTERM. */
  stop(): void;
}

/** Starts the built program. `onRecord` receives what it writes as NDJSON; without it, its output is ours. */
export function startActionstream(
  args: readonly string[],
  onRecord: ((record: PublishedRecord) => void) | undefined,
): RunningActionstream {
  const stdout = onRecord ? 'pipe' : 'inherit';
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', stdout, 'inherit'] });
  if (onRecord && child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      onRecord(JSON.parse(line) as PublishedRecord);
    });
  }
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  return {
    exited: new Promise((resolve) => {
      child.once('close', (code) => {
        process.off('exit', kill);
        resolve(code);
      });
    }),
    stop: () => void child.kill('SIGTERM'),
  };
}
