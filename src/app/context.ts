import type { Writable } from 'node:stream';

/** What the functions of this folder get of the process; composition.ts fills it. */
export interface AppContext {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Data only. */
  readonly stdout: Writable;
  /** Messages, progress, the log. */
  readonly stderr: Writable;
  /** Aborts on SIGINT and SIGTERM, and on SIGHUP where nobody takes that. */
  readonly signal: AbortSignal;
  readonly programs: Programs;
}

/** What runs in a process of its own, as built. */
export interface Programs {
  /** dist/main.js */
  readonly main: URL;
  /** The engine. */
  readonly engine: URL;
  /** One verification in a small heap. */
  readonly verify: URL;
  /** One measured network. */
  readonly visit: URL;
  /** bench/peer/peer.py */
  readonly peer: URL;
}

/** What a command that serves until it is stopped shares with the owner of the process. */
export interface ServiceContext extends AppContext {
  /** Aborts when the reader of standard output has gone. */
  readonly stdoutClosed: AbortSignal;
  /** From now on the program outlives its outputs. */
  readonly outlive: () => void;
  /**
   * Takes SIGHUP from now on. In a terminal it says that this is gone, and the program ends all the same.
   */
  readonly onHangup: (take: () => void) => void;
  /** Names what is being done, for whoever must end the process by force. */
  readonly onPhase: (phase: string) => void;
}
