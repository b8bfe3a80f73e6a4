import { ActionstreamError, messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { InferenceEngine, InferenceResult, PixelClip } from '../engine.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import { checkClip } from '../check-clip.ts';
import { createSerialQueue, throwIfAborted } from '../serial-queue.ts';
import { startEngineThread, ThreadLost, type EngineThread } from './engine-thread.ts';
import type { EngineSpec } from './spec.ts';

export interface WorkerEngineOptions {
  /** The built entry.js. */
  readonly entryUrl: URL;
  readonly spec: EngineSpec;
  readonly logger: Logger;
}

/** A running call keeps its thread this long after dispose; with the second that ending takes: within 5 s. */
const GRACE_MS = 4000;

/** Threads that one clip may lose before it is given up. */
const TRIES = 2;

/**
 * An engine in a thread of its own, so that the event loop stays free while native code computes (ADR 0010).
 *
 * Calls wait in order and are sent one at a time. A thread that ends unasked is replaced, and the clip that it had is
 * tried once more; if that thread ends too, the clip is rejected with ENGINE_FAILED (retryable) and the next call starts
 * another thread. Abort rejects a running call at once; the thread stops at its next stage. Pixels must not change until
 * the call settles; in a SharedArrayBuffer they cross without a copy on this thread.
 *
 * @throws what building the engine threw (MODEL_INVALID, ENGINE_UNAVAILABLE, …); ENGINE_FAILED where the thread died
 */
export async function createWorkerEngine(options: WorkerEngineOptions): Promise<InferenceEngine> {
  const { logger } = options;
  const queue = createSerialQueue('the inference worker');
  let thread = await startThread(options, new AbortController().signal);
  let stopped: Promise<void> | undefined;
  const { info } = thread;

  const inferOnce = async (
    clip: PixelClip,
    sampler: SamplerOptions,
    signal: AbortSignal,
  ): Promise<InferenceResult> => {
    if (!thread.alive()) thread = await startThread(options, signal);
    throwIfAborted(signal);
    return thread.infer(clip, sampler, signal);
  };

  const infer = async (
    clip: PixelClip,
    sampler: SamplerOptions,
    signal: AbortSignal,
  ): Promise<InferenceResult> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await inferOnce(clip, sampler, signal);
      } catch (error) {
        if (!(error instanceof ThreadLost)) throw error;
        const { clipId } = clip;
        logger.error({ clipId, attempt, err: error }, 'the inference thread was lost');
        if (attempt === TRIES) throw givenUp(clipId, error);
      }
    }
  };

  const stop = async (): Promise<void> => {
    await queue.close();
    if ((await thread.stop(GRACE_MS)) === 'ended') return;
    logger.warn({}, 'the inference thread is inside one long native call and ends when that returns');
  };

  return {
    info,
    async infer(clip, { sampler, signal }) {
      checkClip(clip, info);
      return queue.run((both) => infer(clip, sampler, both), signal);
    },
    [Symbol.asyncDispose]: () => (stopped ??= stop()),
  };
}

async function startThread(
  { entryUrl, spec }: WorkerEngineOptions,
  signal: AbortSignal,
): Promise<EngineThread> {
  try {
    return await startEngineThread(entryUrl, spec, signal);
  } catch (error) {
    throwIfAborted(signal);
    if (!(error instanceof ThreadLost)) throw error;
    throw new ActionstreamError('ENGINE_FAILED', `building engine ${spec.engine}: ${error.message}`, {
      cause: error,
    });
  }
}

function givenUp(clipId: string, cause: ThreadLost): ActionstreamError {
  return new ActionstreamError(
    'ENGINE_FAILED',
    `clip ${clipId}: ${TRIES} inference threads in a row were lost on it, the last because ${messageOf(cause)}`,
    { cause },
  );
}
