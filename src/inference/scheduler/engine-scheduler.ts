import { at } from '../../core/at.ts';
import { monotonicMs } from '../../core/time.ts';
import { interrupted } from '../aborts.ts';
import type {
  EngineInfo,
  InferenceEngine,
  InferenceResult,
  InferOptions,
  InferRequest,
  PixelClip,
} from '../engine.ts';
import { ONE_BY_ONE, waitForMore, type Batching } from './batching.ts';
import { EngineAffinity } from './engine-affinity.ts';
import { FairQueue, type Turn } from './fair-queue.ts';
import { KeptClips } from './kept-clips.ts';

/** What one stream sees of the engines. */
export interface StreamEngine {
  readonly info: EngineInfo;
  /**
   * Clips run one after the other: a second call waits for the first. With `maps: keep` the clip may be
   * scored again.
   */
  infer(clip: PixelClip, options: InferOptions): Promise<InferenceResult>;
  /** False where the stream's engine keeps the feature maps of as many clips as it can. */
  mayKeep(): boolean;
  /**
   * A clip whose maps are kept, under another sampler: one call of the upper stage. It begins where an engine
   * is idle and no clip waits for it; a clip that comes meanwhile waits until that call has ended, and no
   * longer.
   */
  inferAgain(clip: PixelClip, options: Omit<InferOptions, 'maps'>): Promise<InferenceResult>;
  forgetMaps(clipId: string): void;
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
  readonly request: InferRequest;
  readonly readyMs: number;
  /** It waits no more: an engine has it. */
  readonly begin: (result: Promise<InferenceResult>) => void;
}

interface Worker {
  readonly index: number;
  readonly engine: InferenceEngine;
  busy: boolean;
  /** Runs while it waits for more clips. */
  timer: NodeJS.Timeout | undefined;
}

interface OpenStream {
  /** It never changes engines. */
  readonly pinned: boolean;
  /** Its clips are never computed together with others. */
  readonly alone: boolean;
}

/**
 * Many streams on a few equal engines, which it owns. Here, and nowhere else, clips wait: each idle
 * engine gets the clip of the stream, among those with affinity to it, that has had the least
 * engine time. So a stream with long clips or many clips cannot starve another. An idle engine
 * takes over a stream from one with a backlog. What is to be scored again waits behind all clips.
 *
 * An engine is in one of these states:
 *
 * - **idle**: no clip waits for it;
 * - **waiting for more**, with batches only (ADR 0025): fewer clips wait than fit, other streams
 *   may bring one, and the oldest has not waited `maxWaitMs`;
 * - **busy**: it has one clip, one batch of different streams, or one clip to score again.
 */
export class EngineScheduler implements AsyncDisposable {
  readonly info: EngineInfo;
  readonly #workers: readonly Worker[];
  readonly #batching: Batching;
  readonly #queue = new FairQueue<Task>();
  readonly #affinity: EngineAffinity;
  readonly #streams = new Map<string, OpenStream>();
  readonly #kept = new KeptClips<Task>();
  readonly #calls: number[] = [];
  #busyMs = 0;
  #closed = false;

  constructor(engines: readonly InferenceEngine[], wanted: Batching = ONE_BY_ONE) {
    this.info = at(engines, 0).info;
    this.#workers = engines.map((engine, index) => ({ index, engine, busy: false, timer: undefined }));
    this.#affinity = new EngineAffinity(engines.length, REST_MS);
    const { batch } = this.info;
    this.#batching = batch ? { ...wanted, maxClips: Math.min(wanted.maxClips, batch.maxClips) } : ONE_BY_ONE;
  }

  /**
   * A `pinned` stream never changes engines where these cache feature maps: what it reuses, and so
   * its receipts, do not depend on how busy they are. Where an engine's numbers depend on a clip's
   * batch by rounding, its clips are computed by themselves and wait for nobody.
   */
  engineFor(streamId: string, { pinned }: { readonly pinned: boolean } = { pinned: false }): StreamEngine {
    const { info } = this;
    this.#streams.set(streamId, {
      pinned: pinned && info.reuse !== undefined,
      alone: pinned && info.batch?.exact === false,
    });
    return {
      info,
      infer: (clip, options) => this.#infer(streamId, { clip, ...options }),
      mayKeep: () => !this.#kept.isFull(this.#affinity.of(streamId)),
      inferAgain: (clip, options) => this.#inferAgain({ clip, ...options, maps: 'kept' }),
      forgetMaps: (clipId) => {
        this.#forgetMaps(clipId);
      },
      leave: () => {
        this.#leave(streamId);
      },
    };
  }

  /** For metrics and the compute budget. */
  read(): SchedulerReading {
    const losses = this.#workers.map(({ engine }) => engine.losses?.() ?? { restarts: 0, retries: 0 });
    return {
      engines: this.#workers.length,
      waiting: this.#queue.length,
      busyMs: this.#busyMs,
      calls: Array.from(this.#calls, (count: number | undefined) => count ?? 0),
      restarts: losses.reduce((sum, { restarts }) => sum + restarts, 0),
      retries: losses.reduce((sum, { retries }) => sum + retries, 0),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const disposed = this.#workers.map(({ engine }) => engine[Symbol.asyncDispose]());
    // What waits is refused by the engines now.
    this.#dispatch();
    await Promise.all(disposed);
  }

  #infer(streamId: string, request: InferRequest): Promise<InferenceResult> {
    return this.#wait(request, {
      add: (task) => {
        this.#queue.push(streamId, task);
      },
      remove: (task) => this.#queue.remove(streamId, task),
    });
  }

  #inferAgain(request: InferRequest): Promise<InferenceResult> {
    return this.#wait(request, {
      add: (task) => {
        this.#kept.push(task);
      },
      remove: (task) => this.#kept.giveUp(task),
    });
  }

  /** The request waits until an engine takes it or its caller gives up. */
  #wait(
    request: InferRequest,
    place: { readonly add: (task: Task) => void; readonly remove: (task: Task) => boolean },
  ): Promise<InferenceResult> {
    const { clip, signal } = request;
    return new Promise((resolve, reject) => {
      if (this.#closed || signal?.aborted) {
        reject(interrupted(clip.clipId));
        return;
      }
      const giveUp = (): void => {
        if (!place.remove(task)) return;
        reject(interrupted(clip.clipId));
        this.#dispatch();
      };
      const task: Task = {
        request,
        readyMs: monotonicMs(),
        begin: (result) => {
          signal?.removeEventListener('abort', giveUp);
          result.then(resolve, reject);
        },
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      place.add(task);
      this.#dispatch();
    });
  }

  #forgetMaps(clipId: string): void {
    const engine = this.#kept.remove(clipId);
    if (engine !== undefined) at(this.#workers, engine).engine.forgetMaps?.(clipId);
  }

  #leave(streamId: string): void {
    for (const clipId of this.#kept.clipsOf(streamId)) this.#forgetMaps(clipId);
    this.#queue.forget(streamId);
    this.#affinity.forget(streamId);
    this.#streams.delete(streamId);
    for (const { engine } of this.#workers) engine.closeStream?.(streamId);
    // Who waited for a clip of this stream waits no more.
    this.#dispatch();
  }

  #dispatch(): void {
    for (const worker of this.#workers) {
      if (worker.busy) continue;
      clearTimeout(worker.timer);
      const waitMs = this.#waitMs(worker);
      const turns = waitMs > 0 ? [] : this.#takeTurns(worker);
      if (turns.length > 0) this.#begin(worker, turns);
      else if (waitMs === 0) this.#beginAgain(worker);
      if (waitMs > 0) {
        worker.timer = setTimeout(() => {
          this.#dispatch();
        }, waitMs);
      }
    }
  }

  /** How long the idle engine waits for more clips; 0: it does not. */
  #waitMs(worker: Worker): number {
    if (this.#batching.maxClips <= 1 || this.#closed) return 0;
    if (this.#queue.ready((id) => this.#isHere(id, worker) && this.#isAlone(id)).length > 0) return 0;
    const isShared = (id: string): boolean => this.#isHere(id, worker) && !this.#isAlone(id);
    const readyMs = this.#queue.ready(isShared).map((task) => task.readyMs);
    if (readyMs.length === 0) return 0;
    const others = [...this.#streams.keys()].filter(isShared).length - readyMs.length;
    return waitForMore(this.#batching, readyMs, { others, nowMs: monotonicMs() });
  }

  /** Clips that the idle engine begins with; none where none waits. */
  #takeTurns(worker: Worker): readonly Turn<Task>[] {
    const first = this.#queue.take((id) => this.#isHere(id, worker)) ?? this.#takeOver(worker);
    if (!first) return [];
    const turns = [first];
    while (turns.length < this.#batching.maxClips && !this.#isAlone(first.streamId)) {
      const more = this.#queue.take((id) => this.#isHere(id, worker) && !this.#isAlone(id));
      if (!more) break;
      turns.push(more);
    }
    return turns;
  }

  /** A clip of a stream whose own engine is busy. */
  #takeOver({ index }: Worker): Turn<Task> | undefined {
    const nowMs = monotonicMs();
    const turn = this.#queue.take(
      (id) => !this.#streams.get(id)?.pinned && this.#ownWorker(id).busy && this.#affinity.mayMove(id, nowMs),
    );
    if (!turn) return undefined;
    this.#ownWorker(turn.streamId).engine.closeStream?.(turn.streamId);
    this.#affinity.move(turn.streamId, index, nowMs);
    return turn;
  }

  #begin(worker: Worker, turns: readonly Turn<Task>[]): void {
    worker.busy = true;
    this.#calls[turns.length - 1] = (this.#calls[turns.length - 1] ?? 0) + 1;
    const startedMs = monotonicMs();
    const results = worker.engine.inferBatch(turns.map(({ task }) => task.request));
    turns.forEach(({ streamId, task }, index) => {
      const { clip, maps } = task.request;
      if (maps === 'keep') this.#kept.add(clip.clipId, streamId, worker.index);
      task.begin(at(results, index));
    });
    void Promise.allSettled(results).then(() => {
      const spentMs = monotonicMs() - startedMs;
      for (const { streamId } of turns) this.#queue.charge(streamId, spentMs / turns.length);
      this.#end(worker, spentMs);
    });
  }

  /** The idle engine scores a clip again, if there is one. */
  #beginAgain(worker: Worker): void {
    const task = this.#kept.take(worker.index);
    if (!task) return;
    worker.busy = true;
    const startedMs = monotonicMs();
    const result = at(worker.engine.inferBatch([task.request]), 0);
    task.begin(result);
    void Promise.allSettled([result]).then(() => {
      this.#end(worker, monotonicMs() - startedMs);
    });
  }

  #end(worker: Worker, spentMs: number): void {
    this.#busyMs += spentMs;
    worker.busy = false;
    this.#dispatch();
  }

  #isHere(streamId: string, { index }: Worker): boolean {
    return this.#affinity.of(streamId) === index;
  }

  #isAlone(streamId: string): boolean {
    return this.#streams.get(streamId)?.alone === true;
  }

  #ownWorker(streamId: string): Worker {
    return at(this.#workers, this.#affinity.of(streamId));
  }
}
