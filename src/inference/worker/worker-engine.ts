import { backoffMs, sleep } from '../../core/abort.ts';
import { ActionstreamError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { interrupted, throwIfAborted, whenAllAborted } from '../aborts.ts';
import { createEngine } from '../create-engine.ts';
import type { EngineCore, RunningRequest } from '../engine-core.ts';
import type { EngineInfo, EngineLosses, InferenceEngine } from '../engine.ts';
import { EngineProcess, ProcessLost, type EngineProcessOptions, type Loss } from './engine-process.ts';
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

/**
 * Time to free the engine in peace on dispose. Nobody waits for a running clip then, so it is not
 * waited for.
 */
const GRACE_MS = 1000;

/** The first process that is lost is replaced at once, the next ones in a row after a pause that grows. */
const RESTART = { firstMs: 250, maxMs: 10_000 };

/** Processes that one clip may lose before it is given up. */
const TRIES = 2;

/**
 * An engine in a process of its own: native code computes there, so it blocks no event loop and
 * takes nobody with it when it dies (ADR 0010). Pixels must not change until the call settles.
 * Abort rejects a running call at once; the process stops at its next stage.
 *
 * @throws what building the engine threw (MODEL_INVALID, ENGINE_UNAVAILABLE, …); ENGINE_FAILED
 * where the process ended
 */
export async function createWorkerEngine(options: WorkerEngineOptions): Promise<InferenceEngine> {
  const slot = openPixelSlot();
  const processOptions = { ...options, slot };
  try {
    const first = await startProcess(processOptions, new AbortController().signal);
    return createEngine(new EngineSupervisor(first, { ...options, slot }), 'the inference worker');
  } catch (error) {
    slot.close();
    throw error;
  }
}

/**
 * Keeps an inference process running. Of each batch it is in one of these states:
 *
 * - **serving**: a process that lives has the batch. If it is lost (it ended unasked, or gave no
 *   answer in time), what had no answer is retried.
 * - **retrying**: each such clip is tried once more by itself: one of them may have been the end of
 *   the process. A second loss rejects the clip with ENGINE_FAILED (retryable).
 * - **restarting**, before either where no process lives: the first process lost is replaced at
 *   once, each further one before an answer after a longer pause. It is tried for as long as clips
 *   come.
 */
class EngineSupervisor implements EngineCore {
  readonly info: EngineInfo;
  readonly #options: WorkerEngineOptions & EngineProcessOptions;
  #process: EngineProcess;
  #running: Promise<void> = Promise.resolve();
  #restarts = 0;
  #retries = 0;
  /** Processes lost, or not started, since the last answer. */
  #lostInARow = 0;

  constructor(first: EngineProcess, options: WorkerEngineOptions & EngineProcessOptions) {
    this.info = first.info;
    this.#process = first;
    this.#options = options;
  }

  run(batch: readonly RunningRequest[]): Promise<void> {
    this.#running = this.#serve(batch);
    return this.#running;
  }

  closeStream(streamId: string): void {
    this.#process.closeStream(streamId);
  }

  forgetMaps(clipId: string): void {
    this.#process.forgetMaps(clipId);
  }

  losses(): EngineLosses {
    return { restarts: this.#restarts, retries: this.#retries };
  }

  async release(): Promise<void> {
    await this.#process.stop(GRACE_MS);
    await this.#running;
    // One that was being started meanwhile.
    await this.#process.stop(GRACE_MS);
    this.#options.slot.close();
  }

  async #serve(batch: readonly RunningRequest[]): Promise<void> {
    const loss = await this.#attempt(batch);
    if (!loss || loss.requests.length === 0) return;
    this.#logLost(batch, 1, loss);
    for (const request of loss.requests) await this.#retry(request);
  }

  async #retry(request: RunningRequest): Promise<void> {
    const { clipId } = request.clip;
    if (request.signal.aborted) {
      request.reject(interrupted(clipId));
      return;
    }
    this.#retries += 1;
    const loss = await this.#attempt([request]);
    if (!loss || loss.requests.length === 0) return;
    this.#logLost([request], TRIES, loss);
    const problem = `clip ${clipId}: ${TRIES} inference processes in a row were lost on it; ${loss.cause.message}`;
    request.reject(new ActionstreamError('ENGINE_FAILED', problem, { cause: loss.cause }));
  }

  async #attempt(batch: readonly RunningRequest[]): Promise<Loss | undefined> {
    try {
      const process = await this.#liveProcess(whenAllAborted(batch.map(({ signal }) => signal)));
      const timeoutMs = this.#options.clipTimeoutMs ?? clipTimeoutOf(process.info);
      const loss = await process.run(batch, timeoutMs && timeoutMs * batch.length);
      if (!loss || loss.hadAnswered) this.#lostInARow = 0;
      return loss;
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return undefined;
    }
  }

  async #liveProcess(signal: AbortSignal): Promise<EngineProcess> {
    throwIfAborted(signal);
    if (this.#process.isAlive()) return this.#process;
    const { logger } = this.#options;
    this.#lostInARow += 1;
    await pauseBeforeRestart(this.#lostInARow, logger, signal);
    this.#process = await startProcess(this.#options, signal);
    this.#restarts += 1;
    logOtherDevice(this.info, this.#process.info, logger);
    return this.#process;
  }

  #logLost(batch: readonly RunningRequest[], attempt: number, { cause: err }: Loss): void {
    const [first, ...others] = batch.map(({ clip }) => clip.clipId);
    const clips = others.length === 0 ? { clipId: first } : { clipIds: [first, ...others] };
    this.#options.logger.error({ ...clips, attempt, err }, 'the inference process was lost');
  }
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

/** A device may be gone since the engine was first opened; receipts then name the new one. */
function logOtherDevice(before: EngineInfo, { device, notices }: EngineInfo, logger: Logger): void {
  if (device === before.device) return;
  logger.warn(
    { device, before: before.device, notices },
    'the inference process came back on another device',
  );
}

/**
 * After which time without an answer an engine counts as hung: far above any clip's time, since a
 * warm-up runs one. An engine that does not warm up (reference) may take any time.
 */
function clipTimeoutOf({ warmupMs }: EngineInfo): number | undefined {
  return warmupMs > 0 ? Math.max(60_000, 20 * warmupMs) : undefined;
}

async function startProcess(options: EngineProcessOptions, signal: AbortSignal): Promise<EngineProcess> {
  try {
    return await EngineProcess.start(options, signal);
  } catch (error) {
    throwIfAborted(signal);
    if (!(error instanceof ProcessLost)) throw error;
    const problem = `building engine ${options.spec.engine}: ${error.message}`;
    throw new ActionstreamError('ENGINE_FAILED', problem, { cause: error });
  }
}
