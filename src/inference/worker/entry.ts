import type { InferenceEngine } from '../engine.ts';
import { createNullEngine } from '../engines/null/null-engine.ts';
import { createOnnxEngine } from '../engines/onnx/onnx-engine.ts';
import { createReferenceEngine } from '../engines/reference/reference-engine.ts';
import { createTfjsEngine } from '../engines/tfjs/tfjs-engine.ts';
import { connectToOwner } from './channel.ts';
import { serveEngine } from './serve.ts';
import { openModel, type EngineSpec } from './spec.ts';

// The program of the inference process, started by engine-process.ts.
await serveEngine(connectToOwner(process), openEngine);
process.exit();

async function openEngine({
  engine,
  model: modelSpec,
  reuse,
  maxClips,
  ...device
}: EngineSpec): Promise<InferenceEngine> {
  const model = await openModel(modelSpec);
  switch (engine) {
    case 'onnx':
      return createOnnxEngine({
        ...{ model, ...device },
        ...(reuse !== undefined && { reuse }),
        ...(maxClips !== undefined && { maxClips }),
      });
    case 'tfjs':
      return createTfjsEngine({ model, ...device, ...(reuse !== undefined && { reuse }) });
    case 'reference':
      return createReferenceEngine(model);
    case 'null':
      return createNullEngine(model, maxClips === undefined ? {} : { maxClips });
  }
}
