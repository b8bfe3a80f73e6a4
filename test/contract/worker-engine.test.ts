import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import type { InferenceEngine } from '../../src/inference/engine.ts';
import type { Model } from '../../src/inference/model.ts';
import { writeSafetensors } from '../../src/inference/weights/safetensors.ts';
import { createWorkerEngine } from '../../src/inference/worker/worker-engine.ts';
import { builtFile } from '../support/built.ts';
import { describeEngineContract } from './engine.contract.ts';

// Engines once more, now in a process of their own that loads the model from its files.
let folder: string;
let models = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'actionstream-models-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describeEngineContract('onnx', (model) => openInProcess('onnx', model), {
  scores: 'reference',
  shares: true,
});
// On whatever device `auto` finds.
describeEngineContract('tfjs', (model) => openInProcess('tfjs', model), {
  scores: 'reference',
  shares: true,
});

async function openInProcess(engine: 'onnx' | 'tfjs', model: Model): Promise<InferenceEngine> {
  const path = join(folder, `${models++}.safetensors`);
  await writeFile(path, writeSafetensors(model.weights));
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(model.manifest));
  const entryUrl = builtFile('inference/worker/entry.js');
  const spec = { engine, model: { kind: 'file', path }, threads: 1 } as const;
  return createWorkerEngine({ entryUrl, spec, logger: silentLogger });
}
