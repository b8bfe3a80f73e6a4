import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '..', '..');
const MAIN = path.join(ROOT, 'dist', 'main.js');

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly done: Promise<CliResult>;
  /** Resolves with the first stdout line that `accept` takes; rejects when the program ends before. */
  line(accept: (line: string) => boolean): Promise<string>;
  /** Resolves with the log so far once it matches, now or before; rejects when the program ends first. */
  said(what: string | RegExp): Promise<string>;
  /** All complete stdout lines so far. */
  readonly lines: readonly string[];
}

/** Starts the built program as a user would: `actionstream …args`. */
export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCli {
  if (!existsSync(MAIN)) throw new Error('dist/main.js is missing: run `npm run build` first');
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: ROOT, env: { ...process.env, ...env } });
  const lines: string[] = [];
  const waiting = new Set<{
    accept: (line: string) => boolean;
    resolve: (line: string) => void;
    reject: (error: Error) => void;
  }>();
  const listening = new Set<{ look: () => void; reject: (error: Error) => void }>();
  let stdout = '';
  let stderr = '';
  let partial = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    const pieces = (partial + text).split('\n');
    partial = pieces.pop() ?? '';
    for (const line of pieces) {
      lines.push(line);
      for (const waiter of waiting) {
        if (!waiter.accept(line)) continue;
        waiting.delete(waiter);
        waiter.resolve(line);
      }
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const { look } of listening) look();
  });
  let ended: Error | undefined;
  const done = new Promise<CliResult>((resolve) => {
    child.on('close', (code, signal) => {
      ended = new Error(`the program ended first (${code ?? signal}): ${stderr}`);
      for (const waiter of [...waiting, ...listening]) waiter.reject(ended);
      resolve({ code, signal, stdout, stderr });
    });
  });
  return {
    child,
    done,
    lines,
    line(accept) {
      const seen = lines.find(accept);
      if (seen !== undefined) return Promise.resolve(seen);
      if (ended) return Promise.reject(ended);
      return new Promise((resolve, reject) => {
        waiting.add({ accept, resolve, reject });
      });
    },
    said(what) {
      const isSaid = (): boolean => (typeof what === 'string' ? stderr.includes(what) : what.test(stderr));
      if (isSaid()) return Promise.resolve(stderr);
      if (ended) return Promise.reject(ended);
      return new Promise((resolve, reject) => {
        const listener = {
          reject,
          look: (): void => {
            if (!isSaid()) return;
            listening.delete(listener);
            resolve(stderr);
          },
        };
        listening.add(listener);
      });
    },
  };
}

/** Runs the built program to its end. */
export function runCli(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CliResult> {
  return startCli(args, env).done;
}

/** stdout as one JSON value a line. */
export function jsonLines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as unknown);
}
