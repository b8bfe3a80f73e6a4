import type { InferenceEngine } from '../engine.ts';
import { createNullEngine } from '../engines/null/null-engine.ts';
import { createOnnxEngine } from '../engines/onnx/onnx-engine.ts';
import { createReferenceEngine } from '../engines/reference/reference-engine.ts';
import { connectToOwner } from './channel.ts';
import { serveEngine } from './serve.ts';
import { openModel, type EngineSpec } from './spec.ts';

// The program of the inference process, started by engine-process.ts.
await serveEngine(connectToOwner(process), openEngine);
process.exit();

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
