import type { InferenceEngine, PixelClip } from '../engine.ts';
import { throwIfAborted } from '../serial-queue.ts';
import type { Channel } from './channel.ts';
import { createFrameMemory, type FrameMemory } from './frame-memory.ts';
import { PIXELS_FD, toWire, type WorkerRequest } from './messages.ts';
import { readPixelSlot } from './pixel-slot.ts';
import type { EngineSpec } from './spec.ts';

/**
 * The inference process: opens the engine that the owner asks for, answers calls in the order in which they came (the
 * engine queues them), frees the engine when told to, then resolves.
 */
export function serveEngine(
  channel: Channel,
  openEngine: (spec: EngineSpec) => Promise<InferenceEngine>,
): Promise<void> {
  const running = new Map<number, AbortController>();
  let engine: InferenceEngine | undefined;
  let frames: FrameMemory | undefined;
  /** One buffer for all clips that belong to no stream. */
  let pixels = new Uint8Array();
  let tail: Promise<void> = Promise.resolve();

  const open = async (spec: EngineSpec): Promise<void> => {
    try {
      engine = await openEngine(spec);
      channel.send({ type: 'ready', info: engine.info });
    } catch (error) {
      channel.send({ type: 'failed', error: toWire(error) });
    }
  };

  /** The whole clip, of which only what is new lies in the slot; undefined where the rest is not here. */
  const receive = ({ clip, place }: InferRequest): PixelClip | undefined => {
    if (place) {
      if (place.fresh) closeStream(place.id);
      frames ??= createFrameMemory({ ...KEEPS_NOTHING, ...engine?.info.reuse, read: readSlot });
      return frames.restore(clip, place);
    }
    const bytes = clip.frames * clip.height * clip.width * 3;
    if (pixels.length !== bytes) pixels = new Uint8Array(bytes);
    readSlot(pixels);
    return { ...clip, data: pixels };
  };

  const infer = async (request: InferRequest, signal: AbortSignal): Promise<void> => {
    const { id, sampler } = request;
    try {
      // The slot may hold another clip's pixels by now.
      throwIfAborted(signal);
      if (!engine) throw new Error('a clip arrived before the engine was ready');
      const clip = receive(request);
      if (!clip) {
        channel.send({ type: 'resend', id });
        return;
      }
      channel.send({ type: 'result', id, result: await engine.infer(clip, { sampler, signal }) });
    } catch (error) {
      channel.send({ type: 'error', id, error: toWire(error) });
    } finally {
      running.delete(id);
    }
  };

  /** Pixels are read when the clip before is done with: until then they may be in use. */
  const enqueue = (request: InferRequest): void => {
    const controller = new AbortController();
    running.set(request.id, controller);
    tail = tail.then(() => infer(request, controller.signal));
  };

  const closeStream = (streamId: string): void => {
    frames?.forget(streamId);
    engine?.closeStream?.(streamId);
  };

  return new Promise((resolve, reject) => {
    channel.onRequest((request) => {
      switch (request.type) {
        case 'open':
          void open(request.spec);
          break;
        case 'infer':
          enqueue(request);
          break;
        case 'abort':
          running.get(request.id)?.abort();
          break;
        case 'close_stream':
          tail = tail.then(() => {
            closeStream(request.streamId);
          });
          break;
        case 'dispose':
          for (const controller of running.values()) controller.abort();
          Promise.resolve(engine?.[Symbol.asyncDispose]()).then(resolve, reject);
          break;
      }
    });
  });
}

type InferRequest = Extract<WorkerRequest, { type: 'infer' }>;

/** Of an engine that shares nothing: the pictures of one stream's last clip. */
const KEEPS_NOTHING = { contextFrames: 0, maxStreams: 1 };

function readSlot(pixels: Uint8Array): void {
  readPixelSlot(PIXELS_FD, pixels);
}
