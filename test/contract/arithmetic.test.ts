import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import type { InferenceEngine, InferenceResult } from '../../src/inference/engine.ts';
import type { Model } from '../../src/inference/model.ts';
import { buildNetwork } from '../../src/inference/network/build.ts';
import { countCost } from '../../src/inference/network/cost.ts';
import type { NetworkOptions } from '../../src/inference/network/graph.ts';
import { listVariantNames } from '../../src/inference/network/variants.ts';
import type { OrderedOptions, SamplerOptions } from '../../src/sampler/index.ts';
import { findEngines } from '../support/engines.ts';
import { goldenClip, goldenModel } from '../support/golden-weights.ts';
import { createReferenceEngine } from '../support/own-engines.ts';

const SIZE = { frames: 16, height: 32, width: 32 } as const;
const NONE: SamplerOptions = { kind: 'none' };
const ONE_STEP: SamplerOptions = { kind: 'ordered', width: 1e6, distance: 'l2' };
const CELLS = {
  after: 'Conv_2b',
  embedding: { kind: 'cells', grid: 4, top: 3 },
  boundary: 'nearest_complete',
} as const;
const EDGES = { temporalEdge: 'edge', timeMeans: 'multiplicity' } as const;
const SMALL = { ...SIZE, classes: 7, widthMultiplier: 0.125, sgs: CELLS } as const;
const STILL = goldenClip(2, SIZE, SIZE.frames);
const LIVELY = goldenClip(1, SIZE);
/** Three different stretches: of the 8 steps few are alike. */
const BROKEN = goldenClip(4, SIZE, 6);

const MEMBERS = listVariantNames();
const engines = [
  { name: 'reference', create: (model: Model) => createReferenceEngine(model) },
  ...(await findEngines(['onnx', 'tfjs'])).map(({ kind, device, create }) => ({
    name: `${kind} on ${device}`,
    create,
  })),
];

describe.each(engines)('feature maps that are all equal at the cut, $name', ({ create }) => {
  it.each(MEMBERS)('%s gives in one kept step what it gives dense, edges repeated', async (variant) => {
    const { dense, sampled } = await denseAndOneStep(create, { variant, ...EDGES });

    expect(sampled.compute.keptSteps).toBe(1);
    expect(dense.compute.keptSteps).toBe(8);
    expect(largestDifference(sampled.logits, dense.logits)).toBeLessThan(1e-4);
  });

  it('s3d-g does not where zeros stand beside the one step', async () => {
    const { dense, sampled } = await denseAndOneStep(create, { variant: 's3d-g' });

    expect(largestDifference(sampled.logits, dense.logits)).toBeGreaterThan(1e-3);
  });
});

describe.each(engines.slice(1))('with the new arithmetic, $name', ({ create }) => {
  const networks: readonly Partial<NetworkOptions>[] = [
    { variant: 's3d-g', ...EDGES },
    { variant: 's3d-g', temporalEdge: 'edge' },
    { variant: 's3d-g', timeMeans: 'multiplicity', pooling: 'space' },
    { variant: 's3d-g', ...EDGES, sgs: { ...CELLS, after: 'MaxPool_3a' }, pooling: 'whole' },
    { variant: 'i3d', ...EDGES, padding: 'same' },
    { variant: 'i3d', ...EDGES },
    { variant: 'fast-s3d', ...EDGES },
  ];
  const samplers: readonly SamplerOptions[] = [
    NONE,
    { kind: 'uniform', stride: 3 },
    ordered({}),
    ordered({ representative: 'middle' }),
    ordered({ width: 1e6, minSteps: 3 }),
  ];

  it.each(networks.map((network, n) => [n, network] as const))(
    'network %# has the scores and plans of the reference engine',
    async (_, network) => {
      const model = goldenModel({ network: { ...SMALL, ...network }, seed: 5, gamma: 0.7 });
      await using engine = await create(model);
      await using reference = createReferenceEngine(model);

      for (const clip of [LIVELY, BROKEN]) {
        for (const sampler of samplers) {
          const expected = await reference.infer(clip, { sampler });
          const found = await engine.infer(clip, { sampler });

          // Of a dense I3D with such weights logits reach hundreds.
          const size = Math.max(1, ...expected.logits.map(Math.abs));
          expect(largestDifference(found.logits, expected.logits) / size).toBeLessThan(1e-4);
          expect(found.plan.groupOf).toEqual(expected.plan.groupOf);
          expect(found.plan.counts).toEqual(expected.plan.counts);
        }
      }
    },
    60_000,
  );
});

describe('batches and shared steps with the new arithmetic', () => {
  const model = goldenModel({
    network: { ...SMALL, variant: 's3d-g', widthMultiplier: 0.25, ...EDGES },
    seed: 5,
    gamma: 0.7,
  });
  let together: InferenceEngine;
  let single: InferenceEngine;
  beforeAll(async () => {
    together = await createOnnxEngine({ model, threads: 1, maxClips: 3 });
    single = await createOnnxEngine({ model, threads: 1 });
  });
  afterAll(async () => {
    await together[Symbol.asyncDispose]();
    await single[Symbol.asyncDispose]();
  });

  it('a clip has the same bits in a batch as alone, whatever plans stand beside it', async () => {
    const calls = [
      { clip: { ...LIVELY, clipId: 'a' }, sampler: ordered({ width: 1e6, minSteps: 4 }) },
      { clip: { ...BROKEN, clipId: 'b' }, sampler: { kind: 'uniform', stride: 2 } as const },
      { clip: { ...STILL, clipId: 'c' }, sampler: ordered({ width: 1e6 }) },
    ];
    const alone: InferenceResult[] = [];
    for (const { clip, sampler } of calls) alone.push(await together.infer(clip, { sampler }));

    const found = await Promise.all(together.inferBatch(calls));

    expect(found).toHaveLength(3);
    found.forEach((result, n) => {
      const one = alone[n]!;
      expect(largestDifference(result.logits, one.logits)).toBeLessThan(1e-5);
      if (together.info.batch?.exact) expect(result.logits).toEqual(one.logits);
    });
  });

  it('the first clip of a stream has the bits of the clip by itself, a later one its plan', async () => {
    const frames = goldenClip(3, { ...SIZE, frames: 24 }, 3);
    const frameBytes = SIZE.height * SIZE.width * 3;
    const context = single.info.reuse?.contextFrames ?? 0;
    const sampler = ordered({ representative: 'middle', minSteps: 2 });
    expect(single.info.reuse?.maxStreams, 'it remembers streams').toBeGreaterThan(0);
    for (const firstFrame of [0, 4, 8]) {
      const part = (from: number, to: number): Uint8Array =>
        frames.data.slice(from * frameBytes, to * frameBytes);
      const clip = { clipId: `s/${firstFrame}`, ...SIZE, data: part(firstFrame, firstFrame + SIZE.frames) };
      const before = part(Math.max(0, firstFrame - context), firstFrame);
      const alone = await single.infer(clip, { sampler });
      const found = await single.infer(
        { ...clip, stream: { id: 's', segment: 0, firstFrame, before } },
        { sampler },
      );

      expect(found.plan.groupOf).toEqual(alone.plan.groupOf);
      if (firstFrame === 0) expect(found.logits).toEqual(alone.logits);
      else expect(found.compute.reusedSteps).toBeGreaterThan(0);
    }
  });

  it('costs what the cost model says: edges and shares multiply nothing', async () => {
    const { compute } = await single.infer(LIVELY, { sampler: { kind: 'uniform', stride: 3 } });

    const plain = buildNetwork({ ...SMALL, variant: 's3d-g', widthMultiplier: 0.25 });
    expect(compute.multiplyAdds).toBe(countCost(plain, { keptSteps: compute.keptSteps }).multiplyAdds);
  });
});

function ordered(more: Partial<OrderedOptions>): OrderedOptions {
  return { kind: 'ordered', width: 0.4, distance: 'l2', ...more };
}

/**
 * A still clip, dense and in one step; of the stem's taps in time only the
 * middle one counts, so that no padding is seen below the cut.
 */
async function denseAndOneStep(
  create: (model: Model) => InferenceEngine | Promise<InferenceEngine>,
  network: Partial<NetworkOptions>,
) {
  const model = goldenModel({ network: { ...SMALL, ...network }, seed: 5, gamma: 0.7 });
  await using engine = await create(withInstantStem(model));
  const sampled = await engine.infer(STILL, { sampler: ONE_STEP });
  const dense = await engine.infer(STILL, { sampler: NONE });
  return { dense, sampled };
}

function withInstantStem(model: Model): Model {
  const nodes = buildNetwork(model.manifest.network).nodes;
  const cut = nodes.findIndex(({ op }) => op === 'sgs');
  const weights = new Map(model.weights);
  for (const node of nodes.slice(0, cut)) {
    if (node.op !== 'conv') continue;
    const name = `${node.name}.weight`;
    const [kt, kh, kw] = node.kernel;
    const { shape, data } = weights.get(name)!;
    const area = kh * kw;
    const middle = data.map((value, i) =>
      Math.floor(i / area) % kt === Math.floor((kt - 1) / 2) ? value : 0,
    );
    weights.set(name, { shape, data: middle });
  }
  return { ...model, weights };
}

function largestDifference(found: Float32Array, expected: Float32Array): number {
  expect(found.length).toBe(expected.length);
  return found.reduce((largest, value, i) => Math.max(largest, Math.abs(value - expected[i]!)), 0);
}
