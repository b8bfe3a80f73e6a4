import { describe, expect, test } from 'vitest';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import type { InferenceResult } from '../../src/inference/engine.ts';
import type { NetworkOptions, SgsOptions } from '../../src/inference/network/graph.ts';
import { STAGES } from '../../src/inference/network/stages.ts';
import { listVariantNames } from '../../src/inference/network/variants.ts';
import type { SamplerOptions } from '../../src/sampler/index.ts';
import { noiseClip, shakenModel } from '../support/shaken-model.ts';
import { createReferenceEngine } from '../support/own-engines.ts';

// The ONNX engine against the definition: 1e-4 of the largest logit, whatever the
// network, size, number of steps or sampler. Found: 2e-6 where the plan does not
// depend on embeddings, 3e-5 where it does. shakenModel tells what magnifies rounding.
const TOLERANCE = 1e-4;
const TINY = { widthMultiplier: 0.07, height: 32, width: 32, frames: 8, classes: 5 } as const;
const NONE: SamplerOptions = { kind: 'none' };
/**
 * Whose plans depend on the embeddings. `reference` with B bins scales distances to
 * 2B·Δ/max Δ, so a weight carries the rounding of the embeddings times 2B·‖e‖/max
 * Δ, here about 100 with 6 bins: hence 3 (3e-5 of the logits instead of 8e-5).
 */
const PLANNED: readonly SamplerOptions[] = [
  { kind: 'reference', bins: 3, kernel: 'linear', distance: 'l2' },
  { kind: 'reference', kernel: 'delta_normalized', distance: 'l1' },
  { kind: 'ordered', width: 0.3, distance: 'l2' },
];

describe('every family member gives the reference logits', () => {
  for (const variant of listVariantNames()) {
    for (const padding of ['symmetric', 'same'] as const) {
      test(`${variant}, ${padding}`, async () => {
        await expectParity({ ...TINY, variant, padding }, NONE);
      });
    }
  }
});

describe('every length and size gives the reference logits', () => {
  for (const padding of ['symmetric', 'same'] as const) {
    for (let frames = 1; frames <= 17; frames++) {
      test(`${frames} frames, ${padding}`, async () => {
        await expectParity({ ...TINY, frames, padding }, NONE);
      });
    }
    for (const [height, width] of [
      [1, 1],
      [17, 45],
      [33, 31],
      [64, 50],
      [270, 36],
    ] as const) {
      test(`${height}×${width}, ${padding}`, async () => {
        await expectParity({ ...TINY, height, width, frames: 4, padding }, NONE);
      });
    }
  }
});

describe('every option gives the reference logits', () => {
  const options: Readonly<Record<string, Partial<NetworkOptions>>> = {
    'motion input': { input: { kind: 'motion' } },
    'motion input of one frame': { input: { kind: 'motion' }, frames: 1 },
    'dense stem': { stem: 'dense' },
    'gates without bias': { gateBias: false },
    'another epsilon': { batchNormEpsilon: 1e-5 },
    'channels in whole vector blocks': { widthMultiplier: 0.25 },
  };
  for (const [name, option] of Object.entries(options)) {
    test(name, async () => {
      await expectParity({ ...TINY, ...option }, NONE);
    });
  }
});

describe('SGS at every stage gives the reference plan and logits', () => {
  const embeddings: readonly SgsOptions['embedding'][] = [
    { kind: 'pooled', grid: 3 },
    { kind: 'learned', size: 4 },
  ];
  const samplers: readonly SamplerOptions[] = [
    NONE,
    { kind: 'uniform', stride: 1 },
    { kind: 'uniform', stride: 2 },
    { kind: 'uniform', stride: 5 },
    { kind: 'uniform', stride: 64 },
    ...PLANNED,
  ];
  for (const padding of ['symmetric', 'same'] as const) {
    for (const [index, { name: after }] of STAGES.entries()) {
      test(`${after}, ${padding}`, async () => {
        const embedding = embeddings[index % embeddings.length]!;
        const sgs: SgsOptions = { after, embedding, boundary: 'as_is' };
        await expectParity({ ...TINY, frames: 17, height: 40, padding, sgs }, ...samplers);
      });
    }
  }
});

describe('SGS where whole vector blocks of channels are cut gives the reference plan and logits', () => {
  const cuts: Readonly<Record<string, Partial<NetworkOptions>>> = {
    'separable stem': {},
    'separable stem, same': { padding: 'same' },
    'dense stem of motion': { stem: 'dense', input: { kind: 'motion' } },
    'four branches': { variant: 's3d-4branch' },
    'dense in time': { variant: 'i3d' },
  };
  for (const [name, options] of Object.entries(cuts)) {
    for (const after of ['Conv_2b', 'Conv_2c', 'Mixed_4b'] as const) {
      test(`${name}, after ${after}`, async () => {
        const network = { ...TINY, widthMultiplier: 0.125, frames: 9, ...options };
        const pooled: SgsOptions = { after, embedding: { kind: 'pooled', grid: 2 }, boundary: 'as_is' };
        await expectParity({ ...network, sgs: pooled }, NONE, { kind: 'uniform', stride: 3 }, ...PLANNED);
        const learned: SgsOptions = { ...pooled, embedding: { kind: 'learned', size: 4 } };
        await expectParity({ ...network, sgs: learned }, ...PLANNED);
      });
    }
  }
});

/** Runs one clip through both engines under each sampler and compares plans and logits. */
async function expectParity(
  network: Partial<NetworkOptions>,
  ...samplers: readonly SamplerOptions[]
): Promise<void> {
  const model = shakenModel(network);
  const clip = noiseClip(model);
  const reference = createReferenceEngine(model);
  await using onnx = await createOnnxEngine({ model, threads: 1 });
  for (const sampler of samplers) {
    const wanted = await reference.infer(clip, { sampler });
    const found = await onnx.infer(clip, { sampler });

    expect(found.plan.outputLength, JSON.stringify(sampler)).toBe(wanted.plan.outputLength);
    wanted.plan.weights.forEach((weight, i) => {
      expect(Math.abs(found.plan.weights[i]! - weight), JSON.stringify(sampler)).toBeLessThan(TOLERANCE);
    });
    expect(largestDifference(found, wanted), JSON.stringify(sampler)).toBeLessThan(TOLERANCE);
  }
}

function largestDifference(found: InferenceResult, wanted: InferenceResult): number {
  expect(found.logits.length).toBe(wanted.logits.length);
  const scale = wanted.logits.reduce((largest, logit) => Math.max(largest, Math.abs(logit)), 1);
  // A network whose logits are all alike would pass whatever the engine did.
  expect(Math.max(...wanted.logits) - Math.min(...wanted.logits)).toBeGreaterThan(100 * TOLERANCE);
  const differences = wanted.logits.map((logit, i) => Math.abs(logit - found.logits[i]!) / scale);
  return differences.reduce((a, b) => Math.max(a, b), 0);
}
