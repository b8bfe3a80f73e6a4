import { messageOf } from '../../src/core/errors.ts';
import { PROVIDERS, problemOfProvider, type Provider } from '../../src/inference/engine-choice.ts';
import type { InferenceEngine } from '../../src/inference/engine.ts';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import type { Model } from '../../src/inference/model.ts';
import { createUntrainedModel } from '../../src/inference/weights/untrained-model.ts';
import { createTfjsEngine } from './own-engines.ts';

/** An engine on a device that this machine has. */
export interface EngineHere {
  readonly kind: 'onnx' | 'tfjs';
  readonly provider: Provider;
  readonly device: string;
  readonly create: (model: Model) => Promise<InferenceEngine>;
}

const SMALLEST = { variant: 's3d', frames: 2, height: 16, width: 16, classes: 2, widthMultiplier: 0.05 };

/**
 * Every engine that computes a network, on every device that this machine has,
 * found by opening each. One line on standard error says which are tested, and
 * which not and why: a device is the one thing that a test may lack.
 */
export async function findEngines(kinds: readonly EngineHere['kind'][]): Promise<readonly EngineHere[]> {
  const here: EngineHere[] = [];
  const missing: string[] = [];
  for (const kind of kinds) {
    for (const provider of PROVIDERS.filter((name) => name !== 'auto' && !problemOfProvider(kind, name))) {
      const create = (model: Model): Promise<InferenceEngine> =>
        kind === 'onnx'
          ? createOnnxEngine({ model, threads: 1, provider })
          : createTfjsEngine({ model, threads: 1, provider });
      try {
        await using engine = await create(createUntrainedModel({ network: SMALLEST, seed: 1 }));
        const { device, notices } = engine.info;
        if (notices.length > 0) missing.push(...notices);
        else here.push({ kind, provider, device, create });
      } catch (error) {
        missing.push(messageOf(error).replace(/; to go on without a GPU.*/, ''));
      }
    }
  }
  const found = here.map(({ kind, device }) => `${kind} on ${device}`).join(', ');
  const rest = missing.length > 0 ? `; not here: ${missing.join('; ')}` : '';
  process.stderr.write(`engines tested: ${found}${rest}\n`);
  return here;
}
