import { stat } from 'node:fs/promises';
import { isAborted, sleep } from '../core/abort.ts';

/** Wishes that the configuration file be read again. Those that come together, or before `run`, are one. */
export class ReloadRequests {
  #isWanted = false;
  #wake: (() => void) | undefined;

  request(): void {
    this.#isWanted = true;
    this.#wake?.();
  }

  /** Wishes once whenever the file has changed, until the signal. */
  watch(path: string, signal: AbortSignal): Promise<void> {
    return watchFile(
      path,
      () => {
        this.request();
      },
      signal,
    );
  }

  /** Reloads once a wish has come, until the signal. */
  async run(reload: () => Promise<void>, signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
    while (!isAborted(signal)) {
      if (this.#isWanted) {
        this.#isWanted = false;
        await reload();
      } else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

const LOOK_EVERY_MS = 1000;

/**
 * Calls `onChange` when a file has changed and then kept still for a second: whoever writes it is done. It
 * looks at the file instead of listening, so that swapped links (Kubernetes) and network drives count.
 * Runs until the signal.
 */
async function watchFile(path: string, onChange: () => void, signal: AbortSignal): Promise<void> {
  let settled = await signatureOf(path);
  let last = settled;
  for (;;) {
    await sleep(LOOK_EVERY_MS, signal);
    if (signal.aborted) return;
    const now = await signatureOf(path);
    if (now === last && now !== settled && now !== undefined) {
      settled = now;
      onChange();
    }
    last = now;
  }
}

/** Undefined while it is not there, as when an editor replaces it. */
async function signatureOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found && [found.ino, found.size, found.mtimeMs].join(' ');
}
