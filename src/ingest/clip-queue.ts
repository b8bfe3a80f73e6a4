import type { Clip } from '../core/frame.ts';

/**
 * Clips between the decoder, which pushes, and inference, which pulls. `every_frame`: `push` always
 * accepts, and the decoder waits for `room` before it reads on: at most what one read yields lies
 * above the limit. `freshest`: the oldest clip goes when the limit is passed, and is counted.
 */
export interface ClipQueue {
  push(clip: Clip): void;
  /**
   * The oldest clip; undefined when the queue was closed and is empty, or the signal aborts.
   * @throws what `fail` got
   */
  take(signal: AbortSignal): Promise<Clip | undefined>;
  /** Resolves once the producer may go on; at once under `freshest`. */
  room(signal: AbortSignal): Promise<void>;
  readonly full: boolean;
  readonly length: number;
  /** No more clips: what waits is still delivered. */
  close(error?: Error): void;
}

export function createClipQueue(
  limit: number,
  policy: 'every_frame' | 'freshest',
  onDrop: (clip: Clip) => void,
): ClipQueue {
  const clips: Clip[] = [];
  const producers = new Set<() => void>();
  const consumers = new Set<() => void>();
  let closed: { readonly error: Error | undefined } | undefined;

  return {
    push(clip) {
      clips.push(clip);
      const dropped = policy === 'freshest' && clips.length > limit ? clips.shift() : undefined;
      if (dropped) onDrop(dropped);
      wake(consumers);
    },
    async take(signal) {
      while (!signal.aborted) {
        const clip = clips.shift();
        if (clip) {
          wake(producers);
          return clip;
        }
        if (closed?.error !== undefined) throw closed.error;
        if (closed) return undefined;
        await woken(consumers, signal);
      }
      return undefined;
    },
    async room(signal) {
      while (isFull() && !signal.aborted) await woken(producers, signal);
    },
    get full() {
      return isFull();
    },
    get length() {
      return clips.length;
    },
    close(error) {
      closed ??= { error };
      wake(consumers);
    },
  };

  function isFull(): boolean {
    return policy === 'every_frame' && clips.length >= limit;
  }
}

function wake(sleepers: Set<() => void>): void {
  for (const sleeper of [...sleepers]) sleeper();
}

function woken(sleepers: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      sleepers.delete(finish);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    sleepers.add(finish);
    signal.addEventListener('abort', finish, { once: true });
    if (signal.aborted) finish();
  });
}
