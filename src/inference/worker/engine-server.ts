import type { EngineCore, RunningRequest } from '../engine-core.ts';
import type { InferenceResult, PixelClip } from '../engine.ts';
import { createFrameMemory, type FrameMemory } from './frame-memory.ts';
import { PIXELS_FD, toWire, type WireCall, type WorkerReply, type WorkerRequest } from './messages.ts';
import { readPixelSlot } from './pixel-slot.ts';
import type { EngineSpec } from './spec.ts';

/**
 * The inference process, in one of these states:
 *
 * - **opening**: it builds the engine that its owner asks for, and answers `ready` or `failed`;
 * - **idle**;
 * - **busy**: it computes a batch. The owner sends the next one when each request of this one has
 *   its answer (engine-process.ts), so nothing waits here; `abort` stops a clip between stages;
 * - **disposed**: the engine is freed, and `serve` resolves.
 *
 * It ends when the owner is gone, at the latest when its native call returns. A Ctrl-C that reaches
 * the whole group is the owner's to handle, which may want clips scored while it drains.
 */
export class EngineServer {
  readonly #self: NodeJS.Process;
  readonly #openCore: (spec: EngineSpec) => Promise<EngineCore> | EngineCore;
  readonly #running = new Map<number, AbortController>();
  /** Buffers for clips that belong to no stream, by their place in a batch. */
  readonly #buffers: Uint8Array[] = [];
  #core: EngineCore | undefined;
  #frames: FrameMemory | undefined;
  /** Where the pixels of the clip begin that is being received. */
  #slotFrom = 0;

  constructor(self: NodeJS.Process, openCore: (spec: EngineSpec) => Promise<EngineCore> | EngineCore) {
    this.#self = self;
    this.#openCore = openCore;
    self.on('SIGINT', () => undefined);
    self.on('SIGTERM', () => undefined);
    self.on('disconnect', () => self.exit());
  }

  /** Resolves when the owner has disposed of the engine. */
  serve(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#self.on('message', (message) => {
        const request = message as WorkerRequest;
        switch (request.type) {
          case 'open':
            void this.#open(request.spec);
            break;
          case 'infer':
            void this.#infer(request.calls);
            break;
          case 'abort':
            this.#running.get(request.id)?.abort();
            break;
          case 'close_stream':
            this.#closeStream(request.streamId);
            break;
          case 'forget_maps':
            this.#core?.forgetMaps(request.clipId);
            break;
          case 'dispose':
            this.#dispose().then(resolve, reject);
            break;
        }
      });
    });
  }

  async #open(spec: EngineSpec): Promise<void> {
    try {
      this.#core = await this.#openCore(spec);
      this.#send({ type: 'ready', info: this.#core.info });
    } catch (error) {
      this.#send({ type: 'failed', error: toWire(error) });
    }
  }

  async #infer(calls: readonly WireCall[]): Promise<void> {
    const batch = calls.flatMap((call, index) => {
      const request = this.#requestOf(call);
      try {
        const clip = this.#receive(call, index);
        if (clip) return [{ ...request, clip }];
        this.#send({ type: 'resend', id: call.id });
      } catch (error) {
        request.reject(error);
      }
      return [];
    });
    if (batch.length > 0) await this.#core?.run(batch);
    for (const { id } of calls) this.#running.delete(id);
  }

  #requestOf({ id, sampler, maps }: WireCall): Omit<RunningRequest, 'clip'> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    return {
      sampler,
      ...(maps && { maps }),
      signal: controller.signal,
      resolve: (result: InferenceResult) => {
        this.#send({ type: 'result', id, result });
      },
      reject: (error: unknown) => {
        this.#send({ type: 'error', id, error: toWire(error) });
      },
    };
  }

  /** The whole clip, of which only what is new lies in the slot; undefined where the rest is not here. */
  #receive({ clip, place, slotFrom, maps }: WireCall, index: number): PixelClip | undefined {
    if (!this.#core) throw new Error('a clip arrived before the engine was ready');
    if (maps === 'kept') return { ...clip, data: NO_PIXELS };
    this.#slotFrom = slotFrom;
    if (place) {
      if (place.fresh) this.#closeStream(place.id);
      this.#frames ??= createFrameMemory({
        ...KEEPS_NOTHING,
        ...this.#core.info.reuse,
        read: this.#readSlot,
      });
      return this.#frames.restore(clip, place);
    }
    const bytes = clip.frames * clip.height * clip.width * 3;
    const known = this.#buffers[index];
    const pixels = known?.length === bytes ? known : (this.#buffers[index] = new Uint8Array(bytes));
    this.#readSlot(pixels);
    return { ...clip, data: pixels };
  }

  readonly #readSlot = (pixels: Uint8Array): void => {
    readPixelSlot(PIXELS_FD, pixels, this.#slotFrom);
  };

  #closeStream(streamId: string): void {
    this.#frames?.forget(streamId);
    this.#core?.closeStream(streamId);
  }

  async #dispose(): Promise<void> {
    for (const controller of this.#running.values()) controller.abort();
    await this.#core?.release();
  }

  /** Without an owner there is nobody to tell. */
  #send(reply: WorkerReply): void {
    this.#self.send?.(reply, undefined, undefined, () => undefined);
  }
}

/** Of a clip whose feature maps are here. */
const NO_PIXELS = new Uint8Array();

/** Of an engine that reuses nothing: the frames of one stream's last clip. */
const KEEPS_NOTHING = { contextFrames: 0, maxStreams: 1 };
