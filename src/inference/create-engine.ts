import { at } from '../core/at.ts';
import { ActionstreamError } from '../core/errors.ts';
import { interrupted } from './aborts.ts';
import { checkClip, checkOnePerStream } from './check-clip.ts';
import { defer } from './deferred.ts';
import type { EngineCore, RunningRequest } from './engine-core.ts';
import type { InferenceEngine, InferenceResult, InferRequest } from './engine.ts';

/**
 * The front of an engine. Each clip is checked here and nowhere else; batches run one at a time, in
 * the order of the calls. Owns the core. @param owner names the engine in errors
 */
export function createEngine(core: EngineCore, owner: string): InferenceEngine {
  const { info } = core;
  const open = new Set<OpenRequest>();
  let turn: Promise<void> = Promise.resolve();
  let disposed: Promise<void> | undefined;

  const inferBatch = (batch: readonly InferRequest[]): readonly Promise<InferenceResult>[] => {
    const requests = batch.map((request) => new OpenRequest(request, open));
    const streams = new Set<string>();
    for (const request of requests) {
      try {
        if (disposed) throw new ActionstreamError('ABORTED', `${owner} has been disposed of`);
        checkClip(request, info);
        checkOnePerStream(request.clip, streams);
      } catch (error) {
        request.reject(error);
      }
    }
    turn = turn.then(() => runWaiting(core, requests));
    return requests.map(({ result }) => result);
  };

  return {
    info,
    inferBatch,
    infer: (clip, options) => at(inferBatch([{ clip, ...options }]), 0),
    closeStream: (streamId) => {
      turn = turn.then(() => {
        core.closeStream(streamId);
      });
    },
    forgetMaps: (clipId) => {
      turn = turn.then(() => {
        core.forgetMaps(clipId);
      });
    },
    losses: () => core.losses?.() ?? { restarts: 0, retries: 0 },
    [Symbol.asyncDispose]: () => {
      for (const request of open) request.abort();
      return (disposed ??= core.release());
    },
  };
}

async function runWaiting(core: EngineCore, requests: readonly OpenRequest[]): Promise<void> {
  const waiting = requests.filter((request) => request.start());
  if (waiting.length === 0) return;
  try {
    await core.run(waiting);
  } catch (error) {
    for (const { reject } of waiting) reject(error);
  }
}

/**
 * A request from its call to its answer, in one of these states:
 *
 * - **waiting**, while an earlier batch runs: a wrong clip or an abort settles it at once;
 * - **running**, when the core has it: the core settles it, also after an abort;
 * - **settled**: it listens to its caller's signal no more.
 */
class OpenRequest implements RunningRequest {
  readonly clip: RunningRequest['clip'];
  readonly sampler: RunningRequest['sampler'];
  readonly maps?: NonNullable<RunningRequest['maps']>;
  readonly signal: AbortSignal;
  readonly result: Promise<InferenceResult>;
  readonly abort: () => void;
  readonly resolve: (result: InferenceResult) => void;
  readonly reject: (reason: unknown) => void;
  #state: 'waiting' | 'running' | 'settled' = 'waiting';

  /** @param open holds the request until it is settled */
  constructor({ clip, sampler, maps, signal: callers }: InferRequest, open: Set<OpenRequest>) {
    // Not AbortSignal.any: Node 20 keeps its results alive as long as the caller's signal lives.
    const controller = new AbortController();
    const answer = defer<InferenceResult>();
    const settle = (): void => {
      this.#state = 'settled';
      callers?.removeEventListener('abort', this.abort);
      open.delete(this);
    };
    this.clip = clip;
    this.sampler = sampler;
    if (maps) this.maps = maps;
    this.signal = controller.signal;
    this.result = answer.promise;
    this.resolve = (result) => {
      answer.resolve(result);
      settle();
    };
    this.reject = (reason) => {
      answer.reject(reason);
      settle();
    };
    this.abort = () => {
      controller.abort();
      if (this.#state === 'waiting') this.reject(interrupted(clip.clipId));
    };
    open.add(this);
    if (callers?.aborted) this.abort();
    else callers?.addEventListener('abort', this.abort, { once: true });
  }

  /** False where it waits no more. */
  start(): boolean {
    if (this.#state !== 'waiting') return false;
    this.#state = 'running';
    return true;
  }
}
