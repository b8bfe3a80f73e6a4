import { createNullEngine } from '../../src/inference/engines/null/null-engine.ts';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import { createReferenceEngine } from '../../src/inference/engines/reference/reference-engine.ts';
import { describeEngineContract } from './engine.contract.ts';

describeEngineContract('reference', createReferenceEngine, { scores: 'reference' });
describeEngineContract('onnx', (model) => createOnnxEngine({ model, threads: 1 }), { scores: 'reference' });
describeEngineContract('null', createNullEngine, { scores: 'own' });
