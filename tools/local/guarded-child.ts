import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { watchOver } from '../../src/processes/process-guard.ts';

/** A server process that cannot outlive this one, not even when this one is killed with SIGKILL. */
export interface GuardedChild {
  readonly pid: number;
  readonly exited: boolean;
  /** Sends the signal and waits for the end; SIGKILL after `graceMs`. */
  end(signal: NodeJS.Signals, graceMs: number): Promise<void>;
}

/**
 * Starts `command`, output appended to `logFile`. When this process ends first, for whatever reason, the
 * guard kills the child and removes `directory`.
 */
export function spawnGuarded(
  command: readonly [string, ...string[]],
  { logFile, directory }: { readonly logFile: string; readonly directory: string },
): GuardedChild {
  const log = openSync(logFile, 'a');
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', log, log] });
  closeSync(log);
  // A missing binary is reported by 'error'; the caller sees it as an early exit with the log's text.
  child.on('error', () => undefined);
  const pid = child.pid ?? 0;
  void watchOver(child, directory);
  return {
    pid,
    get exited() {
      return child.pid === undefined || hasExited(child);
    },
    end: (signal, graceMs) => endChild(child, signal, graceMs),
  };
}

/**
 * SIGSTOP; returns once every thread has stopped. One thread takes the signal and stops the others: until the
 * system has given it a processor, the others still answer.
 */
export function freezeProcess(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (!threadsOf(pid).every((state) => 'TtZX'.includes(state))) Atomics.wait(pause, 0, 0, 1);
}

/** The state letters of its threads, where the system shows them (Linux). */
function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      return stat.charAt(stat.lastIndexOf(')') + 2);
    });
  } catch {
    return [];
  }
}

export function tailOf(logFile: string, characters = 2000): string {
  return readFileSync(logFile, 'utf8').slice(-characters);
}

async function endChild(child: ChildProcess, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  if (child.pid === undefined || hasExited(child)) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await exit;
  clearTimeout(timer);
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
