import { at } from '../../core/at.ts';
import { fork } from 'node:child_process';
import { sleep } from '../../core/abort.ts';
import { ActionstreamError } from '../../core/errors.ts';
import { watchOver } from '../../processes/process-guard.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import type { EngineInfo, InferenceResult, PixelClip } from '../engine.ts';
import { defer, type Deferred } from './deferred.ts';
import { fromWire, type WorkerReply, type WorkerRequest } from './messages.ts';
import type { PixelSlot } from './pixel-slot.ts';
import { createSentFrames, type Parcel } from './sent-frames.ts';
import type { EngineSpec } from './spec.ts';

/** A process that ended without being asked to: the call in flight may be tried on another. */
export class ProcessLost extends Error {
  constructor(how: string, options?: ErrorOptions) {
    super(`the inference process ${how}`, options);
    this.name = 'ProcessLost';
  }
}

/** One running inference process. */
export interface EngineProcess {
  readonly info: EngineInfo;
  /** False once the process has ended, for whatever reason. */
  isAlive(): boolean;
  /**
   * Clips that are computed together; the next ones when all of these have settled. A promise rejects with ProcessLost where the process
   * ends under it, or is ended because it gave no answer for `timeoutMs`; with ABORTED at once on abort.
   */
  infer(calls: readonly ProcessCall[], timeoutMs: number | undefined): readonly Promise<InferenceResult>[];
  /** What the process keeps for the stream's next clip is freed. */
  closeStream(streamId: string): void;
  /** Asks the process to free its engine and end; kills it after `graceMs`. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
}

export interface ProcessCall {
  readonly clip: PixelClip;
  readonly sampler: SamplerOptions;
  readonly signal: AbortSignal;
}

export interface EngineProcessOptions {
  readonly entryUrl: URL;
  readonly spec: EngineSpec;
  readonly slot: PixelSlot;
}

/**
 * Starts a process and waits until its engine is ready; abort kills it on the way.
 * @throws what building the engine threw; ProcessLost where the process ended
 */
export async function startEngineProcess(
  { entryUrl, spec, slot }: EngineProcessOptions,
  signal: AbortSignal,
): Promise<EngineProcess> {
  const child = fork(entryUrl, {
    // No flags of ours (loaders, inspectors) are meant for it. Our standard output belongs to our user.
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', slot.fd, 'ipc'],
    serialization: 'advanced',
  });
  // Stopped (SIGSTOP) it would never notice that we are gone.
  const watcherGone = watchOver(child);
  const calls = new Map<number, Call>();
  const sent = createSentFrames();
  const ready = defer<EngineInfo>();
  const gone = defer<undefined>();
  let nextId = 0;
  let reuses = false;
  let alive = true;

  const lose = (lost: ProcessLost): void => {
    alive = false;
    ready.reject(lost);
    for (const call of calls.values()) call.reject(lost);
    calls.clear();
  };
  // Where the child is gone the channel refuses; its exit tells the callers.
  const send = (request: WorkerRequest): void => {
    child.send(request, () => undefined);
  };
  child.on('exit', (code, killedBy) => {
    const how = killedBy === null ? `ended with code ${code ?? 0}` : `was ended by ${killedBy}`;
    lose(new ProcessLost(how));
    void watcherGone.then(() => {
      gone.resolve(undefined);
    });
  });
  child.on('error', (error) => {
    if (child.pid !== undefined) return;
    lose(new ProcessLost(`cannot be started: ${error.message}`, { cause: error }));
    gone.resolve(undefined);
  });
  child.on('message', (message) => {
    const reply = message as WorkerReply;
    switch (reply.type) {
      case 'ready':
        reuses = reply.info.reuse !== undefined;
        ready.resolve(reply.info);
        break;
      case 'failed':
        ready.reject(fromWire(reply.error));
        break;
      case 'result':
        calls.get(reply.id)?.resolve(reply.result);
        break;
      case 'error':
        calls.get(reply.id)?.reject(fromWire(reply.error));
        break;
      case 'resend':
        calls.get(reply.id)?.resend();
        break;
    }
  });

  const shares = (clip: PixelClip): boolean => clip.stream !== undefined && reuses;

  /** Puts what the process lacks of the clips into the slot, one after the other, and asks for all of them. */
  const request = (wanted: readonly Call[]): void => {
    if (wanted.length === 0) return;
    const parcels = wanted.map(({ clip }) => (shares(clip) ? sent.pack(clip) : { parts: [clip.data] }));
    slot.write(parcels.flatMap(({ parts }) => parts));
    let slotFrom = 0;
    send({
      type: 'infer',
      calls: wanted.map(({ id, clip: { clipId, frames, height, width }, sampler }, index) => {
        const { place, parts }: Parcel = at(parcels, index);
        const from = slotFrom;
        slotFrom += parts.reduce((sum, { length }) => sum + length, 0);
        const clip = { clipId, frames, height, width };
        return { id, clip, sampler, slotFrom: from, ...(place && { place }) };
      }),
    });
  };

  const createCall = (call: ProcessCall): Call => {
    const made: Call = {
      ...defer<InferenceResult>(),
      ...call,
      id: nextId++,
      resend: () => {
        // A call that nobody waits for any more must not write over the next one's pixels.
        if (call.signal.aborted) return;
        try {
          request([made]);
        } catch (error) {
          made.reject(error);
        }
      },
    };
    calls.set(made.id, made);
    return made;
  };

  const settle = (
    call: Call,
    timeoutMs: number | undefined,
    giveUp: () => void,
  ): Promise<InferenceResult> => {
    const { id, clip, signal: callSignal } = call;
    const abort = (): void => {
      send({ type: 'abort', id });
      call.reject(new ActionstreamError('ABORTED', `clip ${clip.clipId}: inference was interrupted`));
    };
    return whileListening(callSignal, abort, async () => {
      if (callSignal.aborted) abort();
      const timer = timeoutMs === undefined ? undefined : setTimeout(giveUp, timeoutMs);
      try {
        const result = await call.promise;
        if (shares(clip)) sent.settle(clip);
        return result;
      } finally {
        clearTimeout(timer);
        calls.delete(id);
      }
    });
  };

  const stop = async (graceMs: number): Promise<void> => {
    const timer = new AbortController();
    if (alive) send({ type: 'dispose' });
    await Promise.race([gone.promise, sleep(graceMs, timer.signal)]);
    timer.abort();
    child.kill('SIGKILL');
    await gone.promise;
  };

  const info = await whileListening(
    signal,
    () => child.kill('SIGKILL'),
    async () => {
      send({ type: 'open', spec });
      return ready.promise;
    },
  ).catch(async (error: unknown) => {
    await stop(0);
    throw error;
  });

  return {
    info,
    isAlive: () => alive,
    infer: (processCalls, timeoutMs) => {
      const live = processCalls.map((call) => createCall(call));
      // Stopped or in an endless loop it hears no signal; its calls do not wait for its end.
      const giveUp = (): void => {
        lose(new ProcessLost(`gave no answer for ${timeoutMs ?? 0} ms and was ended`));
        child.kill('SIGKILL');
      };
      const results = live.map((call) => settle(call, timeoutMs, giveUp));
      try {
        request(live.filter(({ signal: own }) => !own.aborted));
      } catch (error) {
        for (const call of live) call.reject(error);
      }
      return results;
    },
    closeStream: (streamId) => {
      sent.forget(streamId);
      if (alive) send({ type: 'close_stream', streamId });
    },
    stop,
  };
}

/** Runs `task` with a listener on abort that does not stay behind. */
async function whileListening<T>(
  signal: AbortSignal,
  onAbort: () => void,
  task: () => Promise<T>,
): Promise<T> {
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await task();
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

interface Call extends Deferred<InferenceResult>, ProcessCall {
  readonly id: number;
  /** Sends all of the clip. */
  readonly resend: () => void;
}
