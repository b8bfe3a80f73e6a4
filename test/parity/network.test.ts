import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/inference/engine.ts';
import { createReferenceEngine } from '../../src/inference/engines/reference/reference-engine.ts';
import type { Model } from '../../src/inference/model.ts';
import { buildNetwork } from '../../src/inference/network/build.ts';
import type { NetworkOptions } from '../../src/inference/network/graph.ts';
import { loadSafetensors } from '../../src/inference/weights/safetensors.ts';
import type { SamplerOptions } from '../../src/sampler/index.ts';
import { goldenClip, goldenWeights } from '../support/golden-weights.ts';

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
const GOLDENS = await loadSafetensors(new URL('logits.safetensors', FOLDER).pathname);
const ATOL = 1e-4;

const ENGINES: Readonly<Record<string, (model: Model) => InferenceEngine | Promise<InferenceEngine>>> = {
  reference: createReferenceEngine,
};

describe.each(Object.entries(ENGINES))('%s computes what PyTorch computes', (_, createEngine) => {
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

function goldenModel({ name, seed, gamma, network: options, sampler }: GoldenCase): Model {
  const network = buildNetwork(options);
  return {
    manifest: {
      id: name,
      version: '1',
      network: network.options,
      labels: Array.from({ length: network.options.classes }, (_, k) => `class-${k}`),
      activation: 'softmax',
      sampler,
      clip: { fps: 25, stride: 1 },
      weights: { file: 'model.safetensors', sha256: '0'.repeat(64) },
    },
    weights: goldenWeights(network, seed, gamma),
    digest: `sha256:${'0'.repeat(64)}`,
  };
}
