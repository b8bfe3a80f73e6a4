import { backoffMs, sleep } from '../../core/abort.ts';
import { at } from '../../core/at.ts';
import { ActionstreamError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { checkCalls } from '../batch/check-calls.ts';
import { checkClip } from '../check-clip.ts';
import type { EngineInfo, InferenceEngine, InferenceResult } from '../engine.ts';
import { createSerialQueue, throwIfAborted } from '../serial-queue.ts';
import {
  ProcessLost,
  startEngineProcess,
  type EngineProcess,
  type EngineProcessOptions,
  type ProcessCall,
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

/** The first process that is lost is replaced at once, the next ones in a row after a pause that grows. */
const RESTART = { firstMs: 250, maxMs: 10_000 };

/** Processes that one clip may lose before it is given up. */
const TRIES = 2;

/**
 * An engine in a process of its own: native code computes there, so it blocks no event loop and takes nobody with it when it
 * dies (ADR 0010).
 *
 * Calls wait in order and are sent one at a time, or one batch. A process that ends unasked is replaced, and the clips that it had are
 * tried once more, one by one; if that one ends too, the clip is rejected with ENGINE_FAILED (retryable) and the next call starts
 * another. Each process lost before one has answered again delays the next one longer, so that an engine that dies at every
 * start costs little; it is tried for as long as clips come. Abort rejects a running call at once; the process stops at its next stage. Pixels must not change until the
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
  /** Processes lost, or not started, since the last answer. */
  let lostInARow = 0;

  const liveWorker = async (signal: AbortSignal): Promise<EngineProcess> => {
    throwIfAborted(signal);
    if (!worker.isAlive()) {
      lostInARow += 1;
      await pauseBeforeRestart(lostInARow, logger, signal);
      worker = await startProcess(options, signal);
      restarts += 1;
      tellOtherDevice(info, worker.info, logger);
    }
    return worker;
  };

  const inferOnce = (calls: readonly ProcessCall[]): readonly Promise<InferenceResult>[] => {
    const inFlight = liveWorker(whenAllAborted(calls.map(({ signal }) => signal))).then((process) => {
      const timeoutMs = clipTimeoutMs ?? clipTimeoutOf(process.info);
      return process.infer(calls, timeoutMs && timeoutMs * calls.length);
    });
    return calls.map(async (_, index) => {
      const result = await at(await inFlight, index);
      lostInARow = 0;
      return result;
    });
  };

  const tellLost = (calls: readonly ProcessCall[], attempt: number, err: ProcessLost): void => {
    const [first, ...others] = calls.map(({ clip }) => clip.clipId);
    const clips = others.length === 0 ? { clipId: first } : { clipIds: [first, ...others] };
    logger.error({ ...clips, attempt, err }, 'the inference process was lost');
  };

  /** Clips whose process was lost with them are tried again one by one: one of them may have been its end. */
  const infer = (calls: readonly ProcessCall[]): readonly Promise<InferenceResult>[] => {
    const first = inferOnce(calls);
    let told = false;
    let tail: Promise<unknown> = Promise.allSettled(first);
    return first.map(async (result, index) => {
      try {
        return await result;
      } catch (error) {
        if (!(error instanceof ProcessLost)) throw error;
        if (!told) tellLost(calls, 1, error);
        told = true;
        retries += 1;
        const again = tail.then(() => retry(at(calls, index)));
        tail = again.catch(() => undefined);
        return again;
      }
    });
  };

  const retry = async (call: ProcessCall): Promise<InferenceResult> => {
    throwIfAborted(call.signal);
    try {
      return await at(inferOnce([call]), 0);
    } catch (error) {
      if (!(error instanceof ProcessLost)) throw error;
      tellLost([call], TRIES, error);
      throw givenUp(call.clip.clipId, error);
    }
  };

  const inferBatch: NonNullable<InferenceEngine['inferBatch']> = (calls) =>
    checkCalls(
      calls,
      ({ clip }) => {
        checkClip(clip, info);
      },
      (fit) =>
        queue.runTogether(
          fit.map(({ signal }) => signal),
          (signals) => infer(fit.map(({ clip, sampler }, i) => ({ clip, sampler, signal: at(signals, i) }))),
        ),
    );

  const stop = async (): Promise<void> => {
    await queue.close();
    await worker.stop(GRACE_MS);
    slot.close();
  };

  return {
    info,
    infer: (clip, callOptions) => at(inferBatch([{ clip, ...callOptions }]), 0),
    inferBatch,
    closeStream: (streamId) => {
      worker.closeStream(streamId);
    },
    losses: () => ({ restarts, retries }),
    [Symbol.asyncDispose]: () => (stopped ??= stop()),
  };
}

/** @throws ActionstreamError ABORTED */
async function pauseBeforeRestart(lost: number, logger: Logger, signal: AbortSignal): Promise<void> {
  if (lost > 1) {
    const waitMs = Math.round(backoffMs(lost - 2, RESTART));
    logger.warn(
      { lost_in_a_row: lost, restart_in_ms: waitMs },
      'the inference process is lost again and again; the next one is started after a pause',
    );
    await sleep(waitMs, signal);
  }
  throwIfAborted(signal);
}

/** Aborts when nobody waits for any of the calls any more. */
function whenAllAborted(signals: readonly AbortSignal[]): AbortSignal {
  const all = new AbortController();
  let left = signals.length;
  const count = (): void => {
    left -= 1;
    if (left === 0) all.abort();
  };
  for (const signal of signals) {
    if (signal.aborted) count();
    else signal.addEventListener('abort', count, { once: true });
  }
  return all.signal;
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
