import type { EngineCore } from '../engine-core.ts';
import { openNullCore } from '../engines/null/null-engine.ts';
import { openOnnxCore } from '../engines/onnx/onnx-engine.ts';
import { openReferenceCore } from '../engines/reference/reference-engine.ts';
import { openTfjsCore } from '../engines/tfjs/tfjs-engine.ts';
import { EngineServer } from './engine-server.ts';
import { openModel, type EngineSpec } from './spec.ts';

// The program of the inference process, started by engine-process.ts.
await new EngineServer(process, openCore).serve();
process.exit();

async function openCore({
  engine,
  model: modelSpec,
  reuse,
  maxClips,
  ...device
}: EngineSpec): Promise<EngineCore> {
  const model = await openModel(modelSpec);
  const batching = maxClips === undefined ? {} : { maxClips };
  const reusing = reuse === undefined ? {} : { reuse };
  switch (engine) {
    case 'onnx':
      return openOnnxCore({ model, ...device, ...reusing, ...batching });
    case 'tfjs':
      return openTfjsCore({ model, ...device, ...reusing });
    case 'reference':
      return openReferenceCore(model);
    case 'null':
      return openNullCore(model, batching);
  }
}
