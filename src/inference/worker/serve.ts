import type { MessagePort } from 'node:worker_threads';
import type { InferenceEngine } from '../engine.ts';
import { toWire, type WorkerReply, type WorkerRequest } from './messages.ts';

/**
 * Answers requests from `port` with `engine` until asked to dispose; then frees the engine and resolves. Calls run in
 * the order in which they came: the engine queues them. Pixels that were transferred here are transferred back with the
 * answer, so that one buffer serves clip after clip.
 */
export async function serveEngine(port: MessagePort, engine: InferenceEngine): Promise<void> {
  const running = new Map<number, AbortController>();
  const reply = (message: WorkerReply): void => {
    const pixels = 'pixels' in message ? message.pixels : undefined;
    port.postMessage(message, pixels ? [pixels] : []);
  };

  const infer = async ({ id, clip, sampler }: Extract<WorkerRequest, { type: 'infer' }>): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    const { buffer } = clip.data;
    const pixels = buffer instanceof ArrayBuffer ? { pixels: buffer } : {};
    try {
      const result = await engine.infer(clip, { sampler, signal: controller.signal });
      reply({ type: 'result', id, result, ...pixels });
    } catch (error) {
      reply({ type: 'error', id, error: toWire(error), ...pixels });
    } finally {
      running.delete(id);
    }
  };

  const disposed = new Promise<void>((resolve) => {
    port.on('message', (request: WorkerRequest) => {
      switch (request.type) {
        case 'infer':
          void infer(request);
          break;
        case 'abort':
          running.get(request.id)?.abort();
          break;
        case 'dispose':
          resolve();
          break;
      }
    });
  });
  reply({ type: 'ready', info: engine.info });
  await disposed;
  for (const controller of running.values()) controller.abort();
  await engine[Symbol.asyncDispose]();
  port.close();
}
