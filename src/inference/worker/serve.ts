import type { InferenceEngine } from '../engine.ts';
import type { Channel } from './channel.ts';
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
  let pixels = new Uint8Array();

  const open = async (spec: EngineSpec): Promise<void> => {
    try {
      engine = await openEngine(spec);
      channel.send({ type: 'ready', info: engine.info });
    } catch (error) {
      channel.send({ type: 'failed', error: toWire(error) });
    }
  };

  const infer = async (request: Extract<WorkerRequest, { type: 'infer' }>): Promise<void> => {
    const { id, clip, byteLength, sampler } = request;
    const controller = new AbortController();
    running.set(id, controller);
    try {
      // One buffer for all: a clip arrives only when the one before is done, or given up.
      if (pixels.length !== byteLength) pixels = new Uint8Array(byteLength);
      readPixelSlot(PIXELS_FD, pixels);
      if (!engine) throw new Error('a clip arrived before the engine was ready');
      const { signal } = controller;
      const result = await engine.infer({ ...clip, data: pixels }, { sampler, signal });
      channel.send({ type: 'result', id, result });
    } catch (error) {
      channel.send({ type: 'error', id, error: toWire(error) });
    } finally {
      running.delete(id);
    }
  };

  return new Promise((resolve, reject) => {
    channel.onRequest((request) => {
      switch (request.type) {
        case 'open':
          void open(request.spec);
          break;
        case 'infer':
          void infer(request);
          break;
        case 'abort':
          running.get(request.id)?.abort();
          break;
        case 'dispose':
          for (const controller of running.values()) controller.abort();
          Promise.resolve(engine?.[Symbol.asyncDispose]()).then(resolve, reject);
          break;
      }
    });
  });
}
