import type { Writable } from 'node:stream';
import { printLine } from './io.ts';

/** What ends the process; composition.ts passes the real one, tests their own. */
export interface ShutdownHost {
  readonly stderr: Writable;
  /** SIGHUP then means that it is gone. */
  readonly hasTerminal: boolean;
  exit(code: number): void;
  /** The code that was set so far, if any. */
  exitCode(): number | undefined;
  /** Kinds of what keeps the event loop alive. */
  openResources(): readonly string[];
}

export interface Shutdown {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  /** For every SIGINT, SIGTERM and SIGHUP. */
  onSignal(name: string): void;
  /** A SIGHUP without a terminal is for this one, and ends nothing. */
  onHangup(take: () => void): void;
  /** What is being done now: named where it does not end. */
  onPhase(phase: string): void;
  /** The command has ended: nothing is left to wait for. */
  onFinished(): void;
}

/** From the first signal to the forced end. Every phase of a command has a bound of its own below this. */
const FORCED_END_MS = 14_000;
/** From the end of the command to the forced end: a client may have left a timer or a socket behind. */
const LEFTOVER_MS = 2000;

/**
 * Owns the end of the process.
 * - running: no signal came.
 * - ending: the first signal came. The command drains. After FORCED_END_MS the
 *   process exits and names the phase that hangs.
 * - a second signal exits at once with 130.
 * - finished: the command has ended. What still keeps the event loop alive is
 *   named after LEFTOVER_MS, and the process exits.
 */
export function createShutdown(host: ShutdownHost): Shutdown {
  const controller = new AbortController();
  let takeHangup: (() => void) | undefined;
  let phase = 'running the command';
  let forced: NodeJS.Timeout | undefined;

  const forceEnd = (name: string): void => {
    const seconds = FORCED_END_MS / 1000;
    printLine(
      host.stderr,
      `error: not ended ${seconds} s after ${name}: ${phase} takes too long; exiting without it`,
    );
    host.exit(host.exitCode() ?? 1);
  };
  return {
    signal: controller.signal,
    onHangup(take) {
      takeHangup = take;
    },
    onSignal(name) {
      if (name === 'SIGHUP' && takeHangup && !host.hasTerminal) {
        takeHangup();
        return;
      }
      if (controller.signal.aborted) {
        host.exit(130);
        return;
      }
      // It may keep nobody waiting: where nothing else is left, the process ends by itself.
      forced = setTimeout(forceEnd, FORCED_END_MS, name).unref();
      controller.abort();
    },
    onPhase(next) {
      phase = next;
    },
    onFinished() {
      clearTimeout(forced);
      setTimeout(() => {
        const left = host.openResources().join(', ');
        printLine(host.stderr, `warning: exiting although something is left open: ${left}`);
        host.exit(host.exitCode() ?? 0);
      }, LEFTOVER_MS).unref();
    },
  };
}
