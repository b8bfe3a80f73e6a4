import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { ActionstreamError, messageOf } from '../../core/errors.ts';

/**
 * What PyTorch's allocator needs not to ask the system for every activation
 * anew: half of the time of a tuned clip.
 */
const TUNED_MALLOC = {
  MALLOC_MMAP_THRESHOLD_: '8000000000',
  MALLOC_TRIM_THRESHOLD_: '16000000000',
  MALLOC_TOP_PAD_: '1000000000',
};

export interface PeerOptions {
  /** A Python with torch, and for streams cv2. */
  readonly python: string;
  /** bench/peer/peer.py */
  readonly script: string;
  readonly tunedMalloc: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A Python process with one network, asked line by line. */
export interface Peer extends AsyncDisposable {
  readonly pid: number;
  /** @throws ActionstreamError ENGINE_FAILED with what Python said */
  ask<T>(request: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<T>;
}

export async function openPeer({ python, script, tunedMalloc, env }: PeerOptions): Promise<Peer> {
  const child = spawn(python, [script], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...env, ...(tunedMalloc && TUNED_MALLOC) },
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    throw new ActionstreamError('USAGE', `${messageOf(error)}; name a Python with --peer`, { cause: error });
  }
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-2000)));
  const ended = once(child, 'close').then(() => undefined);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = (cause: string): ActionstreamError =>
    new ActionstreamError('ENGINE_FAILED', `the peer failed: ${cause}`);
  const answer = async <T>(signal: AbortSignal): Promise<T> => {
    const stop = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    const line = await answers.next();
    signal.removeEventListener('abort', stop);
    if (signal.aborted) throw new ActionstreamError('ABORTED', 'the benchmark was interrupted');
    if (line.done === true) {
      await ended;
      throw failed(said.trim().split('\n').at(-1) ?? '');
    }
    const value = JSON.parse(line.value) as T & { readonly error?: string };
    if (value.error !== undefined) throw failed(value.error);
    return value;
  };
  return {
    pid: child.pid ?? 0,
    ask(request, signal) {
      signal.throwIfAborted();
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return answer(signal);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
