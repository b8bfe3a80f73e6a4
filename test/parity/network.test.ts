import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import type { InferenceEngine } from '../../src/inference/engine.ts';
import type { Model } from '../../src/inference/model.ts';
import type { NetworkOptions } from '../../src/inference/network/graph.ts';
import { STAGES } from '../../src/inference/network/stages.ts';
import { listVariantNames } from '../../src/inference/network/variants.ts';
import { parseSafetensors } from '../../src/inference/weights/safetensors.ts';
import type { SamplerOptions } from '../../src/sampler/index.ts';
import { findEngines } from '../support/engines.ts';
import { goldenClip, goldenModel } from '../support/golden-weights.ts';
import { createReferenceEngine } from '../support/own-engines.ts';

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

test('every member of the family, every place and every sampler is among the goldens', () => {
  const samplers = CASES.filter(({ network }) => network.sgs).map(({ sampler }) =>
    [sampler.kind, 'kernel' in sampler && sampler.kernel, 'distance' in sampler && sampler.distance].join(
      ' ',
    ),
  );

  expect(
    missing(
      CASES.map(({ network }) => network.variant),
      listVariantNames(),
    ),
  ).toEqual([]);
  expect(
    missing(
      CASES.map(({ network }) => network.sgs?.after),
      STAGES.map(({ name }) => name),
    ),
  ).toEqual([]);
  expect(new Set(samplers).size).toBe(2 + 2 + 8); // none, uniform, ordered by l1 and l2, four kernels by both
});

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

function missing(found: readonly unknown[], wanted: readonly unknown[]): readonly unknown[] {
  return wanted.filter((name) => !found.includes(name));
}
