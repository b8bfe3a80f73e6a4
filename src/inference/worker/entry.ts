import { parentPort, workerData } from 'node:worker_threads';
import type { InferenceEngine } from '../engine.ts';
import { createNullEngine } from '../engines/null/null-engine.ts';
import { createOnnxEngine } from '../engines/onnx/onnx-engine.ts';
import { createReferenceEngine } from '../engines/reference/reference-engine.ts';
import { toWire, type WorkerReply } from './messages.ts';
import { serveEngine } from './serve.ts';
import { openModel, type EngineSpec } from './spec.ts';

// The program of the inference thread: builds the engine that `workerData` asks for and serves it.
if (!parentPort) throw new Error('src/inference/worker/entry.ts runs in a worker thread only');
try {
  await serveEngine(parentPort, await openEngine(workerData as EngineSpec));
} catch (error) {
  parentPort.postMessage({ type: 'failed', error: toWire(error) } satisfies WorkerReply);
  parentPort.close();
}

async function openEngine({ engine, model: modelSpec, threads }: EngineSpec): Promise<InferenceEngine> {
  const model = await openModel(modelSpec);
  switch (engine) {
    case 'onnx':
      return createOnnxEngine({ model, ...(threads !== undefined && { threads }) });
    case 'reference':
      return createReferenceEngine(model);
    case 'null':
      return createNullEngine(model);
  }
}
