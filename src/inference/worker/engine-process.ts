import { fork, type ChildProcess } from 'node:child_process';
import { sleep } from '../../core/abort.ts';
import { watchOver } from '../../processes/process-guard.ts';
import { interrupted } from '../aborts.ts';
import { defer } from '../deferred.ts';
import type { RunningRequest } from '../engine-core.ts';
import type { EngineInfo } from '../engine.ts';
import { ClipTransfer } from './clip-transfer.ts';
import { fromWire, type WorkerReply, type WorkerRequest } from './messages.ts';
import type { PixelSlot } from './pixel-slot.ts';
import type { EngineSpec } from './spec.ts';

/** A process that ended without being asked to: what it had in flight may be tried on another. */
export class ProcessLost extends Error {
  constructor(how: string, options?: ErrorOptions) {
    super(`the inference process ${how}`, options);
    this.name = 'ProcessLost';
  }
}

/** What a process was lost with. */
export interface Loss {
  readonly cause: ProcessLost;
  /** Requests without an answer whose callers still wait. */
  readonly requests: readonly RunningRequest[];
  /** Whether it had answered others of the batch. */
  readonly hadAnswered: boolean;
}

export interface EngineProcessOptions {
  readonly entryUrl: URL;
  readonly spec: EngineSpec;
  readonly slot: PixelSlot;
}

/**
 * One inference process, in one of these states:
 *
 * - **starting**: it builds its engine, until it says `ready` or `failed`. Abort kills it.
 * - **idle**: nothing is in flight.
 * - **busy**: one batch is in flight, until each of its requests has an answer, also those whose
 *   callers gave up. So nothing queues in the process, and the pixels in the slot stay as they are
 *   while it may read them.
 * - **lost**: it ended unasked, or gave no answer in time and was killed. `run` returns what was in
 *   flight.
 * - **stopped**: it was asked to end.
 */
export class EngineProcess {
  #info: EngineInfo | undefined;
  readonly #child: ChildProcess;
  readonly #transfer: ClipTransfer;
  readonly #ready = defer<EngineInfo>();
  readonly #gone = defer<undefined>();
  /** Requests without an answer. */
  readonly #inFlight = new Map<number, RunningRequest>();
  /** Requests of clips that the process has only a part of. */
  #lacking: RunningRequest[] = [];
  #allAnswered = defer<undefined>();
  #lost: ProcessLost | undefined;
  #nextId = 0;

  /**
   * Starts a process and waits until its engine is ready.
   * @throws what building the engine threw; ProcessLost where the process ended
   */
  static async start(options: EngineProcessOptions, signal: AbortSignal): Promise<EngineProcess> {
    const started = new EngineProcess(options);
    try {
      await started.#open(options.spec, signal);
      return started;
    } catch (error) {
      await started.stop(0);
      throw error;
    }
  }

  private constructor({ entryUrl, slot }: Omit<EngineProcessOptions, 'spec'>) {
    this.#transfer = new ClipTransfer(slot);
    this.#child = fork(entryUrl, {
      // No flags of ours (loaders, inspectors) are meant for it. Our standard output belongs to our user.
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', slot.fd, 'ipc'],
      serialization: 'advanced',
    });
    // Stopped (SIGSTOP) it would never notice that we are gone.
    const watcherGone = watchOver(this.#child);
    this.#child.on('exit', (code, killedBy) => {
      const how = killedBy === null ? `ended with code ${code ?? 0}` : `was ended by ${killedBy}`;
      this.#lose(new ProcessLost(how));
      void watcherGone.then(() => {
        this.#gone.resolve(undefined);
      });
    });
    this.#child.on('error', (error) => {
      if (this.#child.pid !== undefined) return;
      this.#lose(new ProcessLost(`cannot be started: ${error.message}`, { cause: error }));
      this.#gone.resolve(undefined);
    });
    this.#child.on('message', (message) => {
      this.#receive(message as WorkerReply);
    });
  }

  get info(): EngineInfo {
    if (!this.#info) throw new TypeError('the inference process is not ready');
    return this.#info;
  }

  /** False once the process has ended, for whatever reason. */
  isAlive(): boolean {
    return this.#lost === undefined;
  }

  /**
   * Settles the requests that the process answers, and at once those whose callers give up. A
   * process that gives no answer for `timeoutMs` is killed. @returns what the process was lost with
   */
  async run(batch: readonly RunningRequest[], timeoutMs: number | undefined): Promise<Loss | undefined> {
    this.#lacking = [];
    await this.#exchange(batch, timeoutMs);
    // Nothing is known any more of what the process has of their streams: now all of each clip is sent.
    if (!this.#lost) await this.#exchange(this.#lacking.splice(0), timeoutMs);
    if (!this.#lost) return undefined;
    const left = [...this.#lacking, ...this.#inFlight.values()];
    this.#inFlight.clear();
    const requests = left.filter(({ signal }) => !signal.aborted);
    return { cause: this.#lost, requests, hadAnswered: left.length < batch.length };
  }

  /** What the process keeps for the stream's next clip is freed. */
  closeStream(streamId: string): void {
    this.#transfer.forget(streamId);
    if (this.isAlive()) this.#send({ type: 'close_stream', streamId });
  }

  forgetMaps(clipId: string): void {
    if (this.isAlive()) this.#send({ type: 'forget_maps', clipId });
  }

  /** Asks the process to free its engine and end; kills it after `graceMs`. Resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    const timer = new AbortController();
    if (this.isAlive()) this.#send({ type: 'dispose' });
    await Promise.race([this.#gone.promise, sleep(graceMs, timer.signal)]);
    timer.abort();
    this.#child.kill('SIGKILL');
    await this.#gone.promise;
  }

  async #open(spec: EngineSpec, signal: AbortSignal): Promise<void> {
    const kill = (): void => {
      this.#child.kill('SIGKILL');
    };
    signal.addEventListener('abort', kill, { once: true });
    try {
      this.#send({ type: 'open', spec });
      this.#info = await this.#ready.promise;
      this.#transfer.reuses = this.#info.reuse !== undefined;
    } finally {
      signal.removeEventListener('abort', kill);
    }
  }

  /** Sends the batch and waits until each request of it has an answer, or the process is lost. */
  async #exchange(batch: readonly RunningRequest[], timeoutMs: number | undefined): Promise<void> {
    const wanted = batch.filter((request) => rejectAborted(request));
    if (wanted.length === 0) return;
    const calls = new Map(wanted.map((request) => [this.#nextId++, request]));
    let message: WorkerRequest;
    try {
      message = { type: 'infer', calls: this.#transfer.write(calls) };
    } catch (error) {
      for (const request of wanted) request.reject(error);
      return;
    }
    this.#allAnswered = defer<undefined>();
    const listeners = Array.from(calls, ([id, request]) => {
      this.#inFlight.set(id, request);
      const abort = (): void => {
        this.#send({ type: 'abort', id });
        rejectAborted(request);
      };
      request.signal.addEventListener('abort', abort, { once: true });
      return { signal: request.signal, abort };
    });
    this.#send(message);
    const timer =
      timeoutMs &&
      setTimeout(() => {
        // Stopped or in an endless loop it hears no signal; its requests do not wait for its end.
        this.#lose(new ProcessLost(`gave no answer for ${timeoutMs} ms and was ended`));
        this.#child.kill('SIGKILL');
      }, timeoutMs);
    await this.#allAnswered.promise;
    clearTimeout(timer);
    for (const { signal, abort } of listeners) signal.removeEventListener('abort', abort);
  }

  #receive(reply: WorkerReply): void {
    switch (reply.type) {
      case 'ready':
        this.#ready.resolve(reply.info);
        break;
      case 'failed':
        this.#ready.reject(fromWire(reply.error));
        break;
      case 'result': {
        const request = this.#answered(reply.id);
        if (request) this.#transfer.confirm(request.clip);
        request?.resolve(reply.result);
        break;
      }
      case 'error':
        this.#answered(reply.id)?.reject(fromWire(reply.error));
        break;
      case 'resend': {
        const request = this.#inFlight.get(reply.id);
        if (request) this.#lacking.push(request);
        this.#answered(reply.id);
        break;
      }
    }
  }

  #answered(id: number): RunningRequest | undefined {
    const request = this.#inFlight.get(id);
    this.#inFlight.delete(id);
    if (this.#inFlight.size === 0) this.#allAnswered.resolve(undefined);
    return request;
  }

  #lose(lost: ProcessLost): void {
    this.#lost ??= lost;
    this.#ready.reject(lost);
    this.#allAnswered.resolve(undefined);
  }

  /** Where the child is gone the channel refuses; its exit tells the callers. */
  #send(request: WorkerRequest): void {
    this.#child.send(request, () => undefined);
  }
}

/** True where the caller still waits; else the request is rejected. */
function rejectAborted({ signal, clip, reject }: RunningRequest): boolean {
  if (signal.aborted) reject(interrupted(clip.clipId));
  return !signal.aborted;
}
