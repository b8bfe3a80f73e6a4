import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/inference/engine.ts';
import { createReferenceEngine } from '../../src/inference/engines/reference/reference-engine.ts';
import type { Model } from '../../src/inference/model.ts';
import type { NetworkOptions } from '../../src/inference/network/graph.ts';
import { parseSafetensors } from '../../src/inference/weights/safetensors.ts';
import type { SamplerOptions } from '../../src/sampler/index.ts';
import { findEngines } from '../support/engines.ts';
import { goldenClip, goldenModel } from '../support/golden-weights.ts';

/** As tools/goldens/make_network_goldens.py writes it. */
interface GoldenCase {
  readonly name: string;
  readonly seed: number;
  readonly hold: number;
  readonly gamma: number;
  readonly sampler: SamplerOptions;
  readonly network: NetworkOptions;
  readonly keptSteps?: number;
}

const FOLDER = new URL('../fixtures/goldens/network/', import.meta.url);
const CASES = JSON.parse(readFileSync(new URL('cases.json', FOLDER), 'utf8')) as readonly GoldenCase[];
const GOLDENS = parseSafetensors(readFileSync(new URL('logits.safetensors', FOLDER)), 'logits.safetensors');
const ATOL = 1e-4;

type CreateEngine = (model: Model) => InferenceEngine | Promise<InferenceEngine>;

const ENGINES: readonly (readonly [string, CreateEngine])[] = [
  ['reference', createReferenceEngine],
  // Plain JavaScript runs the same program as WebAssembly, slowly: the contract suite has it.
  ...(await findEngines(['onnx', 'tfjs']))
    .filter(({ provider }) => provider !== 'js')
    .map(({ kind, device, create }) => [`${kind} on ${device}`, create] as const),
];

describe.each(ENGINES)('%s computes what PyTorch computes', (_, createEngine) => {
  it.each(CASES.map((golden) => [golden.name, golden] as const))('%s', async (name, golden) => {
    const expected = GOLDENS.get(name)!;
    await using engine = await createEngine(goldenModel(golden));

    const result = await engine.infer(goldenClip(golden.seed, golden.network, golden.hold), {
      sampler: golden.sampler,
    });

    expect(result.logits).toHaveLength(expected.data.length);
    const worst = Math.max(...result.logits.map((logit, k) => Math.abs(logit - expected.data[k]!)));
    expect(worst).toBeLessThanOrEqual(ATOL);
    if (golden.keptSteps !== undefined) expect(result.compute.keptSteps).toBe(golden.keptSteps);
  });
});
