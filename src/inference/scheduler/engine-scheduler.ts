import { ActionstreamError } from '../../core/errors.ts';
import { monotonicMs } from '../../core/time.ts';
import type { EngineInfo, InferenceEngine, InferenceResult, InferOptions, PixelClip } from '../engine.ts';
import { createFairQueue } from './fair-queue.ts';
import { createHomes } from './homes.ts';

/** Many streams on a few equal engines. Owns the engines. */
export interface EngineScheduler extends AsyncDisposable {
  readonly info: EngineInfo;
  /**
   * What one stream sees. Its clips run one after the other: a second call waits for the first. A `pinned` one never changes engines
   * where these remember feature maps: what it reuses, and so its receipts, do not depend on how busy they are.
   */
  engineFor(streamId: string, options?: { readonly pinned: boolean }): StreamEngine;
  /** For metrics and the compute budget. */
  read(): SchedulerReading;
}

/** A stream's share of the engines. */
export interface StreamEngine {
  readonly info: EngineInfo;
  infer(clip: PixelClip, options: InferOptions): Promise<InferenceResult>;
  /** The stream has ended: nothing is kept for it. */
  leave(): void;
}

export interface SchedulerReading {
  readonly engines: number;
  /** Clips that wait for an engine. */
  readonly waiting: number;
  /** Time that engines have spent on clips since the start, all together. */
  readonly busyMs: number;
  /** See EngineLosses; of all engines. */
  readonly restarts: number;
  readonly retries: number;
}

/** A stream that changed engines stays so long: the new one has to compute its feature maps anew. */
const REST_MS = 10_000;

interface Task {
  readonly run: (engine: InferenceEngine) => Promise<void>;
}

/**
 * Hands clips to idle engines: of the streams at home there, the one that has had the least engine time is next, so a stream
 * with long clips or many clips cannot starve another. An idle engine takes over a stream from one with a backlog.
 * An engine has one clip at a time; nothing waits inside it, where order could not be changed any more.
 */
export function createEngineScheduler(engines: readonly InferenceEngine[]): EngineScheduler {
  const [first] = engines;
  if (!first) throw new RangeError('a scheduler needs an engine');
  const queue = createFairQueue<Task>();
  const homes = createHomes(engines.length, REST_MS);
  const pinned = new Set<string>();
  const busy = engines.map(() => false);
  let busyMs = 0;
  let closed = false;

  const takeOver = (index: number): ReturnType<typeof queue.take> => {
    const nowMs = monotonicMs();
    const turn = queue.take(
      (id) => !pinned.has(id) && busy[homes.of(id)] === true && homes.mayMove(id, nowMs),
    );
    if (!turn) return undefined;
    engines[homes.of(turn.streamId)]?.closeStream?.(turn.streamId);
    homes.move(turn.streamId, index, nowMs);
    return turn;
  };

  const dispatch = (): void => {
    engines.forEach((engine, index) => {
      if (busy[index] === true) return;
      const turn = queue.take((id) => homes.of(id) === index) ?? takeOver(index);
      if (!turn) return;
      busy[index] = true;
      const startedMs = monotonicMs();
      void turn.task.run(engine).finally(() => {
        const spentMs = monotonicMs() - startedMs;
        busyMs += spentMs;
        queue.charge(turn.streamId, spentMs);
        busy[index] = false;
        dispatch();
      });
    });
  };

  const enqueue = (streamId: string, clip: PixelClip, options: InferOptions): Promise<InferenceResult> =>
    new Promise((resolve, reject) => {
      const { signal } = options;
      const aborted = (): void => {
        if (queue.remove(streamId)) reject(interrupted(clip.clipId));
      };
      if (closed || signal?.aborted) {
        reject(interrupted(clip.clipId));
        return;
      }
      signal?.addEventListener('abort', aborted, { once: true });
      queue.push(streamId, {
        run: (engine) => {
          signal?.removeEventListener('abort', aborted);
          return engine.infer(clip, options).then(resolve, reject);
        },
      });
      dispatch();
    });

  return {
    info: first.info,
    engineFor(streamId, options) {
      if (options?.pinned === true && first.info.reuse) pinned.add(streamId);
      let last: Promise<unknown> = Promise.resolve();
      return {
        info: first.info,
        infer(clip, options) {
          const turn = last.then(() => enqueue(streamId, clip, options));
          last = turn.catch(() => undefined);
          return turn;
        },
        leave() {
          queue.forget(streamId);
          homes.forget(streamId);
          pinned.delete(streamId);
          for (const engine of engines) engine.closeStream?.(streamId);
        },
      };
    },
    read() {
      const losses = engines.map((engine) => engine.losses?.() ?? { restarts: 0, retries: 0 });
      return {
        engines: engines.length,
        waiting: queue.length,
        busyMs,
        restarts: losses.reduce((sum, { restarts }) => sum + restarts, 0),
        retries: losses.reduce((sum, { retries }) => sum + retries, 0),
      };
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.all(engines.map((engine) => engine[Symbol.asyncDispose]()));
    },
  };
}

function interrupted(clipId: string): ActionstreamError {
  return new ActionstreamError('ABORTED', `clip ${clipId}: inference was interrupted`);
}
