import { at } from '../../core/at.ts';
import type { InferCall, InferenceEngine, PixelClip } from '../engine.ts';
import { inferTogether } from '../infer-together.ts';
import { throwIfAborted } from '../serial-queue.ts';
import type { Channel } from './channel.ts';
import { createFrameMemory, type FrameMemory } from './frame-memory.ts';
import { PIXELS_FD, toWire, type WireCall, type WorkerReply } from './messages.ts';
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
  /** Buffers for clips that belong to no stream, by their place in a batch. */
  const buffers: Uint8Array[] = [];
  let slotFrom = 0;
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
  const receive = ({ clip, place, ...call }: WireCall, index: number): PixelClip | undefined => {
    slotFrom = call.slotFrom;
    if (place) {
      if (place.fresh) closeStream(place.id);
      frames ??= createFrameMemory({ ...KEEPS_NOTHING, ...engine?.info.reuse, read: readSlot });
      return frames.restore(clip, place);
    }
    const bytes = clip.frames * clip.height * clip.width * 3;
    const known = buffers[index];
    const pixels = known?.length === bytes ? known : (buffers[index] = new Uint8Array(bytes));
    readSlot(pixels);
    return { ...clip, data: pixels };
  };

  const readSlot = (pixels: Uint8Array): void => {
    readPixelSlot(PIXELS_FD, pixels, slotFrom);
  };

  const infer = async (calls: readonly RunningCall[]): Promise<void> => {
    const ready: (InferCall & { readonly id: number })[] = [];
    const replies: WorkerReply[] = [];
    calls.forEach(({ call, signal }, index) => {
      const { id, sampler } = call;
      try {
        // The slot may hold another clip's pixels by now.
        throwIfAborted(signal);
        if (!engine) throw new Error('a clip arrived before the engine was ready');
        const clip = receive(call, index);
        if (clip) ready.push({ id, clip, sampler, signal });
        else replies.push({ type: 'resend', id });
      } catch (error) {
        replies.push({ type: 'error', id, error: toWire(error) });
      }
    });
    // Only now: what is sent again is written over what has been read.
    for (const reply of replies) channel.send(reply);
    if (engine && ready.length > 0) await compute(engine, ready);
    for (const { call } of calls) running.delete(call.id);
  };

  const compute = async (
    by: InferenceEngine,
    calls: readonly (InferCall & { readonly id: number })[],
  ): Promise<void> => {
    const results = inferTogether(by, calls);
    await Promise.all(
      results.map(async (running, index) => {
        const { id } = at(calls, index);
        try {
          channel.send({ type: 'result', id, result: await running });
        } catch (error) {
          channel.send({ type: 'error', id, error: toWire(error) });
        }
      }),
    );
  };

  /** Pixels are read when the clips before are done with: until then they may be in use. */
  const enqueue = (calls: readonly WireCall[]): void => {
    const all = calls.map((call) => {
      const controller = new AbortController();
      running.set(call.id, controller);
      return { call, signal: controller.signal };
    });
    tail = tail.then(() => infer(all));
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
          enqueue(request.calls);
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

interface RunningCall {
  readonly call: WireCall;
  readonly signal: AbortSignal;
}

/** Of an engine that shares nothing: the pictures of one stream's last clip. */
const KEEPS_NOTHING = { contextFrames: 0, maxStreams: 1 };
