import { describe, expect, test } from 'vitest';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import type { PixelClip } from '../../src/inference/engine.ts';
import type { Model } from '../../src/inference/model.ts';
import type { NetworkOptions, SgsOptions } from '../../src/inference/network/graph.ts';
import { STAGES } from '../../src/inference/network/stages.ts';
import { listVariantNames } from '../../src/inference/network/variants.ts';
import { loadModel } from '../../src/inference/weights/load-model.ts';
import type { SamplerOptions } from '../../src/sampler/index.ts';
import { findEngines } from '../support/engines.ts';
import { noiseClip, shakenModel } from '../support/shaken-model.ts';
import { createTfjsEngine } from '../support/own-engines.ts';

// The TensorFlow engine against the ONNX one, which is itself held to the definition (onnx.test.ts):
// 1e-4 of the largest logit. Plain JavaScript is left to the contract suite: it runs the same program.
const ENGINES = (await findEngines(['tfjs'])).filter(({ provider }) => provider !== 'js');
const TINY = { widthMultiplier: 0.07, height: 32, width: 32, frames: 8, classes: 5 } as const;
/** Both with every length and size; with the variants in turn. */
const PADDINGS = ['symmetric', 'same'] as const;
const NONE: SamplerOptions = { kind: 'none' };

describe.each(ENGINES)('tfjs on $device gives the logits of ONNX', ({ create }) => {
  test.each(listVariantNames().map((variant, index) => [variant, PADDINGS[index % 2]!] as const))(
    '%s, %s',
    async (variant, padding) => {
      await expectParity({ ...TINY, variant, padding });
    },
  );

  test.each([1, 2, 3, 4, 5, 9, 16, 17])('%i frames, both paddings', async (frames) => {
    await expectParity({ ...TINY, frames, padding: 'symmetric' });
    await expectParity({ ...TINY, frames, padding: 'same' });
  });

  test.each([
    [1, 1],
    [17, 45],
    [33, 31],
    [270, 36],
  ])('%i×%i pixels, both paddings', async (height, width) => {
    await expectParity({ ...TINY, height, width, frames: 3, padding: 'symmetric' });
    await expectParity({ ...TINY, height, width, frames: 3, padding: 'same' });
  });

  test.each<[string, Partial<NetworkOptions>]>([
    ['motion input', { input: { kind: 'motion' } }],
    ['motion input of one frame', { input: { kind: 'motion' }, frames: 1 }],
    ['dense stem', { stem: 'dense' }],
    ['space-to-depth stem', { stem: 'space_to_depth' }],
    ['pools padded as an even length', { poolPadding: 'same_even', frames: 7, height: 45, width: 31 }],
    ['gates without bias, none after Conv_2c', { gateBias: false, gateConv2c: false }],
    ['a head that averages space', { pooling: 'space', height: 300, width: 260, frames: 2 }],
    ['a head that averages all', { pooling: 'whole', frames: 33 }],
    ['an embedding instead of a classifier', { classifier: false }],
    ['channels in whole vector blocks', { widthMultiplier: 0.25 }],
  ])('%s', async (_, options) => {
    await expectParity({ ...TINY, ...options });
  });

  test.each(STAGES.map(({ name }, index) => [name, index] as const))(
    'SGS after %s: plan and logits',
    async (after, index) => {
      const embedding: SgsOptions['embedding'] =
        index % 2 === 0 ? { kind: 'pooled', grid: 3 } : { kind: 'learned', size: 4 };
      const sgs: SgsOptions = { after, embedding, boundary: 'as_is' };
      const padding = index % 4 < 2 ? 'symmetric' : 'same';
      await expectParity(
        { ...TINY, frames: 17, height: 40, padding, sgs },
        NONE,
        { kind: 'uniform', stride: 3 },
        { kind: 'uniform', stride: 64 },
        { kind: 'reference', bins: 3, kernel: 'linear', distance: 'l2' },
        { kind: 'ordered', width: 0.3, distance: 'l2' },
      );
    },
  );

  test('the shipped model: 1e-3 on its logits, the same steps kept', async () => {
    const model = await loadModel('models/s3d-g-atfr');
    const clip = movingBar(model);
    await using onnx = await createOnnxEngine({ model });
    await using tfjs = await create(model);

    for (const sampler of [NONE, model.manifest.sampler]) {
      const wanted = await onnx.infer(clip, { sampler });
      const found = await tfjs.infer(clip, { sampler });

      expect(found.compute.keptSteps).toBe(wanted.compute.keptSteps);
      expect(largestDifference(found.logits, wanted.logits)).toBeLessThan(1e-3);
    }
  });

  async function expectParity(
    network: Partial<NetworkOptions>,
    ...samplers: readonly SamplerOptions[]
  ): Promise<void> {
    const model = shakenModel(network);
    const clip = noiseClip(model);
    await using onnx = await createOnnxEngine({ model, threads: 1 });
    await using tfjs = await create(model);
    for (const sampler of samplers.length > 0 ? samplers : [NONE]) {
      const wanted = await onnx.infer(clip, { sampler });
      const found = await tfjs.infer(clip, { sampler });

      const scale = wanted.logits.reduce((largest, logit) => Math.max(largest, Math.abs(logit)), 1);
      // A network whose logits are all alike would pass whatever the engine did.
      expect(Math.max(...wanted.logits) - Math.min(...wanted.logits)).toBeGreaterThan(0.01);
      expect(found.plan.outputLength, JSON.stringify(sampler)).toBe(wanted.plan.outputLength);
      const worst = largestDifference(found.logits, wanted.logits) / scale;
      expect(worst, JSON.stringify(sampler)).toBeLessThan(1e-4);
    }
  }
});

test('without a choice the engine takes what is fastest here, and says what it passed over', async () => {
  const model = shakenModel(TINY);
  await using engine = await createTfjsEngine({ model });

  expect(engine.info.device).toBe(ENGINES[0]?.device);
  if (engine.info.device !== 'cuda:0') expect(engine.info.notices.join()).toContain('tfjs on cuda: ');
});

/**
 * A bright bar that crosses the frame in the second half of the clip: steps
 * that are alike, then steps that are not.
 */
function movingBar({ manifest }: Model): PixelClip {
  const { frames, height, width } = manifest.network;
  const data = new Uint8Array(frames * height * width * 3).fill(90);
  for (let t = Math.floor(frames / 2); t < frames; t++) {
    for (let y = 0; y < height; y++) {
      const from = ((t * height + y) * width + ((t * 5) % (width - 12))) * 3;
      data.fill(220, from, from + 36);
    }
  }
  return { clipId: 'bar', frames, height, width, data };
}

function largestDifference(found: Float32Array, wanted: Float32Array): number {
  expect(found.length).toBe(wanted.length);
  return wanted.reduce((largest, value, i) => Math.max(largest, Math.abs(value - found[i]!)), 0);
}
