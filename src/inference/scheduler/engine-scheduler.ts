import { at } from '../../core/at.ts';
import { ActionstreamError } from '../../core/errors.ts';
import { monotonicMs } from '../../core/time.ts';
import type {
  EngineInfo,
  InferCall,
  InferenceEngine,
  InferenceResult,
  InferOptions,
  PixelClip,
} from '../engine.ts';
import { inferTogether } from '../infer-together.ts';
import { ONE_BY_ONE, waitForMore, type Batching } from './batching.ts';
import { createFairQueue, type Turn } from './fair-queue.ts';
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
  /** Calls of engines with one clip, with two, and so on. */
  readonly calls: readonly number[];
  /** See EngineLosses; of all engines. */
  readonly restarts: number;
  readonly retries: number;
}

/** A stream that changed engines stays so long: the new one has to compute its feature maps anew. */
const REST_MS = 10_000;

interface Task {
  readonly call: InferCall;
  readonly readyMs: number;
  /** It waits no more: the engine has it. */
  readonly begin: (result: Promise<InferenceResult>) => void;
}

/**
 * Hands clips to idle engines: of the streams at home there, the one that has had the least engine time is next, so a stream
 * with long clips or many clips cannot starve another. An idle engine takes over a stream from one with a backlog.
 * An engine has one clip at a time, or one batch of different streams (ADR 0025); nothing waits inside it, where order could not be
 * changed any more.
 *
 * With batches an idle engine is in one of three states: **nothing waits**; **gathering**, while fewer clips wait than fit, other
 * streams may bring one and the oldest has not waited `maxWaitMs`; **beginning**, when one of these ends. Where an engine's numbers depend
 * on a clip's batch by rounding, a pinned stream's clips are computed by themselves and wait for nobody.
 */
export function createEngineScheduler(
  engines: readonly InferenceEngine[],
  wanted: Batching = ONE_BY_ONE,
): EngineScheduler {
  const [first] = engines;
  if (!first) throw new RangeError('a scheduler needs an engine');
  const { batch } = first.info;
  const batching = batch ? { ...wanted, maxClips: Math.min(wanted.maxClips, batch.maxClips) } : ONE_BY_ONE;
  const queue = createFairQueue<Task>();
  const homes = createHomes(engines.length, REST_MS);
  const open = new Set<string>();
  const pinned = new Set<string>();
  const alone = new Set<string>();
  const busy = engines.map(() => false);
  const timers = engines.map((): NodeJS.Timeout | undefined => undefined);
  const calls: number[] = [];
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

  const begin = (index: number, turns: readonly Turn<Task>[]): void => {
    const engine = at(engines, index);
    busy[index] = true;
    calls[turns.length - 1] = (calls[turns.length - 1] ?? 0) + 1;
    const startedMs = monotonicMs();
    const results = inferTogether(
      engine,
      turns.map(({ task }) => task.call),
    );
    turns.forEach(({ task }, n) => {
      task.begin(at(results, n));
    });
    void Promise.allSettled(results).then(() => {
      const spentMs = monotonicMs() - startedMs;
      busyMs += spentMs;
      for (const { streamId } of turns) queue.charge(streamId, spentMs / turns.length);
      busy[index] = false;
      dispatch();
    });
  };

  /** Clips that the idle engine is to begin with; none where it waits for more. */
  const nextTurns = (index: number): readonly Turn<Task>[] => {
    const isHere = (id: string): boolean => homes.of(id) === index;
    const isShared = (id: string): boolean => isHere(id) && !alone.has(id);
    clearTimeout(timers[index]);
    if (batching.maxClips > 1 && queue.waiting((id) => isHere(id) && alone.has(id)).length === 0) {
      const ready = queue.waiting(isShared).map(({ readyMs }) => readyMs);
      const others = [...open].filter(isShared).length - ready.length;
      const waitMs = ready.length > 0 ? waitForMore(batching, ready, { others, nowMs: monotonicMs() }) : 0;
      if (waitMs > 0) {
        timers[index] = setTimeout(dispatch, waitMs);
        return [];
      }
    }
    const turn = queue.take(isHere) ?? takeOver(index);
    if (!turn) return [];
    const turns = [turn];
    while (turns.length < batching.maxClips && !alone.has(turn.streamId)) {
      const more = queue.take(isShared);
      if (!more) break;
      turns.push(more);
    }
    return turns;
  };

  const dispatch = (): void => {
    engines.forEach((_, index) => {
      if (busy[index] === true) return;
      const turns = nextTurns(index);
      if (turns.length > 0) begin(index, turns);
    });
  };

  const enqueue = (streamId: string, clip: PixelClip, options: InferOptions): Promise<InferenceResult> =>
    new Promise((resolve, reject) => {
      const { signal } = options;
      const aborted = (): void => {
        if (!queue.remove(streamId)) return;
        reject(interrupted(clip.clipId));
        dispatch();
      };
      if (closed || signal?.aborted) {
        reject(interrupted(clip.clipId));
        return;
      }
      signal?.addEventListener('abort', aborted, { once: true });
      queue.push(streamId, {
        call: { clip, ...options },
        readyMs: monotonicMs(),
        begin: (result) => {
          signal?.removeEventListener('abort', aborted);
          result.then(resolve, reject);
        },
      });
      dispatch();
    });

  return {
    info: first.info,
    engineFor(streamId, options) {
      open.add(streamId);
      if (options?.pinned === true && first.info.reuse) pinned.add(streamId);
      if (options?.pinned === true && batch?.exact === false) alone.add(streamId);
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
          alone.delete(streamId);
          open.delete(streamId);
          for (const engine of engines) engine.closeStream?.(streamId);
          // Who waited for a clip of this stream waits no more.
          dispatch();
        },
      };
    },
    read() {
      const losses = engines.map((engine) => engine.losses?.() ?? { restarts: 0, retries: 0 });
      return {
        engines: engines.length,
        waiting: queue.length,
        busyMs,
        calls: Array.from(calls, (count: number | undefined) => count ?? 0),
        restarts: losses.reduce((sum, { restarts }) => sum + restarts, 0),
        retries: losses.reduce((sum, { retries }) => sum + retries, 0),
      };
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.all(engines.map((engine) => engine[Symbol.asyncDispose]()));
    },
  };
}

function interrupted(clipId: string): ActionstreamError {
  return new ActionstreamError('ABORTED', `clip ${clipId}: inference was interrupted`);
}
