import { createEngine } from '../../src/inference/create-engine.ts';
import type { InferenceEngine } from '../../src/inference/engine.ts';
import { openNullCore } from '../../src/inference/engines/null/null-engine.ts';
import { openReferenceCore } from '../../src/inference/engines/reference/reference-engine.ts';
import { openTfjsCore, type TfjsEngineOptions } from '../../src/inference/engines/tfjs/tfjs-engine.ts';

// Engines in the process of the test, which the program runs only in processes of their own.

export function createNullEngine(...args: Parameters<typeof openNullCore>): InferenceEngine {
  return createEngine(openNullCore(...args), 'null engine');
}

export function createReferenceEngine(model: Parameters<typeof openReferenceCore>[0]): InferenceEngine {
  return createEngine(openReferenceCore(model), 'reference engine');
}

export async function createTfjsEngine(options: TfjsEngineOptions): Promise<InferenceEngine> {
  return createEngine(await openTfjsCore(options), 'TensorFlow engine');
}
