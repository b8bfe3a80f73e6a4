import type { Clip } from '../../src/core/frame.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { StreamJob } from '../../src/pipeline/types.ts';

/** What a job of no clip does until it ends. */
export interface IdleHooks {
  /** Ends or fails it by itself. */
  readonly ended?: Promise<void>;
  /** Called when its signal has come; it ends when this resolves. */
  readonly onStop?: (signal: AbortSignal) => Promise<void> | void;
  readonly onLeave?: () => void;
}

/** A stream without a source: it gives no clip and goes on until it is stopped. */
export function idleJob(streamId: string, { ended, onStop, onLeave }: IdleHooks = {}): StreamJob {
  const forever = new Promise<void>(() => undefined);
  async function* clips(signal: AbortSignal): AsyncGenerator<Clip> {
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
      if (signal.aborted) resolve();
    });
    await Promise.race([ended ?? forever, stopped]);
    if (signal.aborted) await onStop?.(signal);
    yield* [];
  }
  return {
    clips: {
      ...{ streamId, clips, queue: { length: 0, capacity: 4 } },
      counters: { framesDecoded: 0, clipsDropped: {}, framesDropped: {}, reconnects: {}, clockFaults: {} },
    },
    engine: { leave: () => onLeave?.() },
    ...{ tracker: { close: () => [] }, sampler: { kind: 'none' }, live: true, logger: silentLogger },
  } as unknown as StreamJob;
}
