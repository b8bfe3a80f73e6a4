import { fork } from 'node:child_process';
import { watchOver } from '../processes/process-guard.ts';

export interface Question {
  /** Program of the process, as built. */
  readonly entryUrl: URL;
  /** Flags of Node. */
  readonly execArgv: readonly string[];
  readonly request: unknown;
  /** After an abort the process may go on so long to clean up. Default: not at all. */
  readonly graceMs?: number;
}

/** What it answered, or how it ended without an answer. */
export type Answer<Reply> = { readonly reply: Reply } | { readonly ended: string };

/** From the answer to the end of the process. */
const LAST_MS = 2000;

/** Asks a process of its own one question; the process is gone when this returns. An abort ends it. */
export async function askProcess<Reply>(
  { entryUrl, execArgv, request, graceMs = 0 }: Question,
  signal: AbortSignal,
): Promise<Answer<Reply>> {
  const child = fork(entryUrl, {
    execArgv: [...execArgv],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const watcherGone = watchOver(child);
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, killedBy) => {
      resolve(killedBy ?? `code ${String(code)}`);
    });
  });
  let grace: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill(graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
    grace = setTimeout(() => child.kill('SIGKILL'), graceMs);
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await new Promise<Answer<Reply>>((resolve, reject) => {
      child.once('message', (message) => {
        resolve({ reply: message as Reply });
      });
      child.once('error', reject);
      void exited.then((ended) => {
        resolve({ ended });
      });
      child.send(request as object, (error) => {
        if (error && !signal.aborted) reject(error);
      });
    });
  } finally {
    clearTimeout(grace);
    signal.removeEventListener('abort', stop);
    // It ends by itself after its answer.
    const late = setTimeout(() => child.kill('SIGKILL'), LAST_MS);
    await exited;
    clearTimeout(late);
    await watcherGone;
  }
}
