import { findEngines } from '../support/engines.ts';
import { describeEngineContract } from './engine.contract.ts';
import { createNullEngine, createReferenceEngine } from '../support/own-engines.ts';

describeEngineContract('reference', createReferenceEngine, { scores: 'reference' });
for (const { kind, device, create } of await findEngines(['onnx', 'tfjs'])) {
  describeEngineContract(kind, create, { scores: 'reference', device, shares: true });
}
describeEngineContract('null', createNullEngine, { scores: 'own' });
