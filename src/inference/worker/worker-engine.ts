import { ActionstreamError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import { checkClip } from '../check-clip.ts';
import type { EngineInfo, InferenceEngine, InferenceResult, PixelClip } from '../engine.ts';
import { createSerialQueue, throwIfAborted } from '../serial-queue.ts';
import {
  ProcessLost,
  startEngineProcess,
  type EngineProcess,
  type EngineProcessOptions,
} from './engine-process.ts';
import { openPixelSlot } from './pixel-slot.ts';
import type { EngineSpec } from './spec.ts';

export interface WorkerEngineOptions {
  /** The built entry.js. */
  readonly entryUrl: URL;
  readonly spec: EngineSpec;
  readonly logger: Logger;
  /** See `clipTimeoutOf`. */
  readonly clipTimeoutMs?: number | undefined;
}

/** Time to free the engine in peace on dispose. Nobody waits for a running clip then, so it is not waited for. */
const GRACE_MS = 1000;

/** Processes that one clip may lose before it is given up. */
const TRIES = 2;

/**
 * An engine in a process of its own: native code computes there, so it blocks no event loop and takes nobody with it when it
 * dies (ADR 0010).
 *
 * Calls wait in order and are sent one at a time. A process that ends unasked is replaced, and the clip that it had is
 * tried once more; if that one ends too, the clip is rejected with ENGINE_FAILED (retryable) and the next call starts
 * another. Abort rejects a running call at once; the process stops at its next stage. Pixels must not change until the
 * call settles. A process that gives no answer in time is ended, and counts as lost.
 *
 * @throws what building the engine threw (MODEL_INVALID, ENGINE_UNAVAILABLE, …); ENGINE_FAILED where the process ended
 */
export async function createWorkerEngine({
  entryUrl,
  spec,
  logger,
  clipTimeoutMs,
}: WorkerEngineOptions): Promise<InferenceEngine> {
  const slot = openPixelSlot();
  const options = { entryUrl, spec, slot };
  let worker: EngineProcess;
  try {
    worker = await startProcess(options, new AbortController().signal);
  } catch (error) {
    slot.close();
    throw error;
  }
  const { info } = worker;
  const queue = createSerialQueue('the inference worker');
  let stopped: Promise<void> | undefined;
  let [restarts, retries] = [0, 0];

  const inferOnce = async (
    clip: PixelClip,
    sampler: SamplerOptions,
    signal: AbortSignal,
  ): Promise<InferenceResult> => {
    if (!worker.isAlive()) {
      worker = await startProcess(options, signal);
      restarts += 1;
      tellOtherDevice(info, worker.info, logger);
    }
    throwIfAborted(signal);
    return worker.infer(clip, sampler, { signal, timeoutMs: clipTimeoutMs ?? clipTimeoutOf(worker.info) });
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
        if (!(error instanceof ProcessLost)) throw error;
        const { clipId } = clip;
        logger.error({ clipId, attempt, err: error }, 'the inference process was lost');
        if (attempt === TRIES) throw givenUp(clipId, error);
        retries += 1;
      }
    }
  };

  const stop = async (): Promise<void> => {
    await queue.close();
    await worker.stop(GRACE_MS);
    slot.close();
  };

  return {
    info,
    async infer(clip, { sampler, signal }) {
      checkClip(clip, info);
      return queue.run((either) => infer(clip, sampler, either), signal);
    },
    closeStream: (streamId) => {
      worker.closeStream(streamId);
    },
    losses: () => ({ restarts, retries }),
    [Symbol.asyncDispose]: () => (stopped ??= stop()),
  };
}

/** A device may be gone since the engine was first opened; receipts then name the new one. */
function tellOtherDevice(before: EngineInfo, now: EngineInfo, logger: Logger): void {
  if (now.device === before.device) return;
  const { device, notices } = now;
  logger.warn(
    { device, before: before.device, notices },
    'the inference process came back on another device',
  );
}

/**
 * After which time without an answer an engine counts as hung: far above any clip's time, since a warm-up runs one. An
 * engine that does not warm up (reference) may take any time.
 */
function clipTimeoutOf({ warmupMs }: EngineInfo): number | undefined {
  return warmupMs > 0 ? Math.max(60_000, 20 * warmupMs) : undefined;
}

async function startProcess(options: EngineProcessOptions, signal: AbortSignal): Promise<EngineProcess> {
  try {
    return await startEngineProcess(options, signal);
  } catch (error) {
    throwIfAborted(signal);
    if (!(error instanceof ProcessLost)) throw error;
    const { engine } = options.spec;
    throw new ActionstreamError('ENGINE_FAILED', `building engine ${engine}: ${error.message}`, {
      cause: error,
    });
  }
}

function givenUp(clipId: string, cause: ProcessLost): ActionstreamError {
  return new ActionstreamError(
    'ENGINE_FAILED',
    `clip ${clipId}: ${TRIES} inference processes in a row were lost on it; ${cause.message}`,
    { cause },
  );
}
