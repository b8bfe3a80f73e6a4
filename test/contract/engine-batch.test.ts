import { findBlockSize } from '../../src/inference/engines/onnx/blocked/block-size.ts';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import { findEngines } from '../support/engines.ts';
import { describeBatchContract } from './engine-batch.contract.ts';
import { createNullEngine, createReferenceEngine } from '../support/own-engines.ts';

// The cut of the network holds 8 channels: half a block of sixteen, where its graphs are plain.
const blocked = (await findBlockSize()) === 8;
const maxClips = 3;

for (const { provider, device } of await findEngines(['onnx'])) {
  const batch = { maxClips, exact: blocked && provider === 'cpu' };
  describeBatchContract(
    `onnx (${device})`,
    (model) => createOnnxEngine({ model, threads: 1, provider, maxClips }),
    { batch },
  );
}
describeBatchContract('null', (model) => createNullEngine(model, { maxClips: 8 }), {
  batch: { maxClips: 8, exact: true },
});
// Engines that take clips one by one.
describeBatchContract('null, one by one,', createNullEngine);
describeBatchContract('reference', createReferenceEngine);
for (const { device, create } of await findEngines(['tfjs']))
  describeBatchContract(`tfjs (${device})`, create);
