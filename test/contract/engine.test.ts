import { createNullEngine } from '../../src/inference/engines/null/null-engine.ts';
import { createReferenceEngine } from '../../src/inference/engines/reference/reference-engine.ts';
import { findEngines } from '../support/engines.ts';
import { describeEngineContract } from './engine.contract.ts';

describeEngineContract('reference', createReferenceEngine, { scores: 'reference' });
for (const { kind, device, create } of await findEngines(['onnx', 'tfjs'])) {
  describeEngineContract(kind, create, { scores: 'reference', device, shares: true });
}
describeEngineContract('null', createNullEngine, { scores: 'own' });
