import { Worker } from 'node:worker_threads';
import { sleep } from '../../core/abort.ts';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import type { EngineInfo, InferenceResult, PixelClip } from '../engine.ts';
import { fromWire, type WorkerReply, type WorkerRequest } from './messages.ts';
import type { EngineSpec } from './spec.ts';

/** A thread that ended without being asked to: the call in flight may be tried on another. */
export class ThreadLost extends Error {
  constructor(exitCode: number, cause: unknown) {
    const reason = cause === undefined ? '' : `: ${messageOf(cause)}`;
    super(`the inference thread ended with code ${exitCode}${reason}`, { cause });
    this.name = 'ThreadLost';
  }
}

/** One running inference thread. */
export interface EngineThread {
  readonly info: EngineInfo;
  /** False once the thread has ended, for whatever reason. */
  readonly alive: () => boolean;
  /** One call at a time. Rejects with ThreadLost where the thread dies under it; with ABORTED at once on abort. */
  infer(clip: PixelClip, sampler: SamplerOptions, signal?: AbortSignal): Promise<InferenceResult>;
  /** Asks the thread to free its engine and end; ends it after `graceMs`. Resolves within `graceMs` + 1 s. */
  stop(graceMs: number): Promise<'ended' | 'still busy'>;
}

/**
 * Starts a thread and waits until its engine is ready; abort ends it on the way.
 * @throws what building the engine threw; ThreadLost where the thread died
 */
export async function startEngineThread(
  entryUrl: URL,
  spec: EngineSpec,
  signal: AbortSignal,
): Promise<EngineThread> {
  // No flags of the parent (loaders, inspectors) are meant for the thread: it runs built JavaScript.
  const worker = new Worker(entryUrl, { workerData: spec, name: 'inference', execArgv: [] });
  const calls = new Map<number, PromiseWithResolvers<InferenceResult>>();
  const ready = withResolvers<EngineInfo>();
  let nextId = 0;
  let ended = false;
  let lastError: unknown;
  /** Comes back with each answer, to carry the next clip. */
  let spare: ArrayBuffer | undefined;

  const settle = (
    id: number,
    pixels: ArrayBuffer | undefined,
  ): PromiseWithResolvers<InferenceResult> | undefined => {
    spare = pixels ?? spare;
    const call = calls.get(id);
    calls.delete(id);
    return call;
  };
  worker.on('message', (reply: WorkerReply) => {
    switch (reply.type) {
      case 'ready':
        ready.resolve(reply.info);
        break;
      case 'failed':
        ready.reject(fromWire(reply.error));
        break;
      case 'result':
        settle(reply.id, reply.pixels)?.resolve(reply.result);
        break;
      case 'error':
        settle(reply.id, reply.pixels)?.reject(fromWire(reply.error));
        break;
    }
  });
  worker.on('error', (error) => {
    lastError = error;
  });
  const exit = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      ended = true;
      const lost = new ThreadLost(code, lastError);
      ready.reject(lost);
      for (const call of calls.values()) call.reject(lost);
      calls.clear();
      resolve();
    });
  });

  const endEarly = (): void => {
    void worker.terminate();
  };
  if (signal.aborted) endEarly();
  signal.addEventListener('abort', endEarly, { once: true });
  const info = await ready.promise
    .catch(async (error: unknown) => {
      await worker.terminate();
      throw error;
    })
    .finally(() => {
      signal.removeEventListener('abort', endEarly);
    });
  const post = (request: WorkerRequest, transfer: ArrayBuffer[] = []): void => {
    worker.postMessage(request, transfer);
  };

  return {
    info,
    alive: () => !ended,

    infer: (clip, sampler, signal) => {
      const id = nextId++;
      const call = withResolvers<InferenceResult>();
      const { clip: sent, transfer } = crossing(clip, spare);
      spare = undefined;
      calls.set(id, call);
      post({ type: 'infer', id, clip: sent, sampler }, transfer);
      const abort = (): void => {
        post({ type: 'abort', id });
        call.reject(new ActionstreamError('ABORTED', `clip ${clip.clipId}: inference was interrupted`));
      };
      signal?.addEventListener('abort', abort, { once: true });
      return call.promise.finally(() => signal?.removeEventListener('abort', abort));
    },

    stop: async (graceMs) => {
      const timeout = new AbortController();
      post({ type: 'dispose' });
      await Promise.race([exit, sleep(graceMs, timeout.signal)]);
      if (!ended) await Promise.race([worker.terminate(), sleep(1000, timeout.signal)]);
      timeout.abort();
      if (ended) return 'ended';
      // Native code cannot be interrupted: the thread ends by itself when its call returns, and keeps nobody waiting.
      worker.unref();
      return 'still busy';
    },
  };
}

/**
 * The clip as it crosses. Pixels in shared memory cross without a copy; others are copied once, into a buffer that is
 * transferred there and back: the caller keeps its own, for a second try.
 */
function crossing(
  clip: PixelClip,
  spare: ArrayBuffer | undefined,
): { readonly clip: PixelClip; readonly transfer: ArrayBuffer[] } {
  if (clip.data.buffer instanceof SharedArrayBuffer) return { clip, transfer: [] };
  const buffer = spare?.byteLength === clip.data.length ? spare : new ArrayBuffer(clip.data.length);
  const data = new Uint8Array(buffer);
  data.set(clip.data);
  return { clip: { ...clip, data }, transfer: [buffer] };
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
