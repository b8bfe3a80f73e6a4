import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOnnxEngine } from '../../../src/inference/engines/onnx/onnx-engine.ts';
import type { InferenceEngine, InferenceResult, PixelClip } from '../../../src/inference/engine.ts';
import { buildNetwork } from '../../../src/inference/network/build.ts';
import { continuedLower } from '../../../src/inference/network/continued-lower.ts';
import { countCost, countLower } from '../../../src/inference/network/cost.ts';
import type { NetworkOptions } from '../../../src/inference/network/graph.ts';
import { createUntrainedModel } from '../../../src/inference/weights/untrained-model.ts';
import type { SamplerOptions } from '../../../src/sampler/index.ts';
import { movingPictures } from './pictures.ts';

const SGS = {
  after: 'Conv_2b',
  embedding: { kind: 'pooled', grid: 2 },
  boundary: 'nearest_complete',
} as const;
const NETWORK: Partial<NetworkOptions> = {
  ...{ variant: 's3d-g', frames: 16, height: 16, width: 24, classes: 5, widthMultiplier: 0.07 },
  ...{ input: { kind: 'motion' }, stem: 'dense', sgs: SGS },
};
const MODEL = createUntrainedModel({ network: NETWORK, seed: 3 });
const ORDERED: SamplerOptions = { kind: 'ordered', width: 0.02, distance: 'l2' };
/** Noise of a camera stays within one bin. */
const STILL = { kind: 'ordered', width: 1, distance: 'l2' } as const satisfies SamplerOptions;
const FRAMES = 16;
const STRIDE = 4;
const SIZE = 16 * 24 * 3;

let engine: InferenceEngine;
let alone: InferenceEngine;
beforeAll(async () => {
  engine = await createOnnxEngine({ model: MODEL, threads: 1 });
  alone = await createOnnxEngine({ model: MODEL, threads: 1, reuse: null });
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await alone[Symbol.asyncDispose]();
});

describe('clips of a stream', () => {
  test('the first clip of a segment is the clip by itself, bit for bit; later ones have its plan', async () => {
    const pixels = movingPictures(64, SIZE, 1);
    for (const clip of clipsOf(pixels, 'first')) {
      const shared = await engine.infer(clip, { sampler: ORDERED });
      const single = await alone.infer(clip, { sampler: ORDERED });

      expect(shared.plan).toEqual(single.plan);
      if (clip.stream?.firstFrame === 0) expect(shared.logits).toEqual(single.logits);
    }
  });

  test('the receipt counts what was computed, and what was not', async () => {
    const network = buildNetwork(MODEL.manifest.network);
    const results = await inferAll(clipsOf(movingPictures(40, SIZE, 2), 'receipt'));

    const whole = countCost(network);
    results.forEach(({ compute }, n) => {
      // Of 8 steps the last 2 are new; the first of them sees motion from 2 frames before it on.
      const lower =
        n === 0 ? whole.lowerMultiplyAdds : countLower(continuedLower(network), 2 + STRIDE).multiplyAdds;
      const upper =
        countCost(network, { keptSteps: compute.keptSteps }).multiplyAdds - whole.lowerMultiplyAdds;
      expect(compute.multiplyAdds).toBe(upper + lower);
      expect(compute.reusedMultiplyAdds).toBe(whole.lowerMultiplyAdds - lower);
      expect(compute.reusedSteps).toBe(n === 0 ? 0 : 6);
      expect(compute.denseMultiplyAdds).toBe(whole.multiplyAdds);
    });
    expect(results.length).toBeGreaterThan(4);
  });

  test('at half overlap the lower half costs at most 0.55 of clip by clip', () => {
    const network = buildNetwork(MODEL.manifest.network);
    const half = countLower(continuedLower(network), 2 + FRAMES / 2).multiplyAdds;

    expect(half / countCost(network).lowerMultiplyAdds).toBeLessThan(0.55);
  });

  test('streams side by side give what each gives alone, bit for bit', async () => {
    const streams = [3, 4, 5].map((seed) => movingPictures(40, SIZE, seed));
    const apart = [];
    for (const [n, pixels] of streams.entries()) apart.push(await inferAll(clipsOf(pixels, `apart-${n}`)));

    const clips = streams.map((pixels, n) => clipsOf(pixels, `together-${n}`));
    for (const [turn, first] of clips[0]!.entries()) {
      for (const [n, clip] of [first, clips[1]![turn]!, clips[2]![turn]!].entries()) {
        const { logits, plan } = await engine.infer(clip, { sampler: ORDERED });
        expect(logits).toEqual(apart[n]![turn]!.logits);
        expect(plan).toEqual(apart[n]![turn]!.plan);
      }
    }
  });

  test('a stream forgotten, a clip dropped or tried twice changes the cost, not the scores', async () => {
    const clips = clipsOf(movingPictures(64, SIZE, 6), 'steady');
    const steady = await inferAll(clips);
    const bumpy = clipsOf(movingPictures(64, SIZE, 6), 'bumpy');
    for (const [n, clip] of bumpy.entries()) {
      if (n === 2 || n === 5) continue;
      if (n === 4) engine.closeStream?.('bumpy');
      const found = await engine.infer(clip, { sampler: ORDERED });
      const again = n === 6 ? await engine.infer(clip, { sampler: ORDERED }) : found;

      expect(found.logits).toEqual(steady[n]!.logits);
      expect(again.logits).toEqual(steady[n]!.logits);
      if (n === 4) expect(found.compute.reusedSteps).toBe(0);
      if (n === 6) expect(again.compute.reusedSteps).toBe(8);
    }
  });

  test('pictures that stand still are computed once', async () => {
    const still = new Uint8Array(64 * SIZE).fill(90);

    const results = await inferAll(clipsOf(still, 'still'));

    expect(results.map(({ compute }) => compute.reusedSteps).slice(1)).toEqual(results.slice(1).map(() => 8));
    expect(results.at(-1)?.compute.lowerMs).toBeGreaterThanOrEqual(0);
    const single = await alone.infer(clipsOf(still, 'x')[3]!, { sampler: ORDERED });
    expect(largestDifference(results[3]!.logits, single.logits)).toBeLessThan(0.1);
  });

  test('noise makes new pictures, unless a threshold lets it pass: then the first picture stands for all', async () => {
    const noisy = movingPictures(64, SIZE, 10).map((value) => 90 + (value & 3));
    await using tolerant = await createOnnxEngine({
      ...{ model: MODEL, threads: 1, reuse: { repeatThreshold: 4 } },
    });
    const clips = clipsOf(noisy, 'noisy');
    const exact = await inferAll(clips);
    const reused = [];
    for (const clip of clips)
      reused.push((await tolerant.infer(clip, { sampler: ORDERED })).compute.reusedSteps);

    // Of 8 steps the overlap takes over 6; the first clip takes over all but
    // those that see no motion before them.
    expect(exact.map(({ compute }) => compute.reusedSteps).slice(1)).toEqual(reused.slice(1).map(() => 6));
    expect(reused.slice(1)).toEqual(reused.slice(1).map(() => 8));
  });

  test('bins that run on: a still clip is scored once for all that keep its map, and the receipt says so', async () => {
    const noisy = movingPictures(64, SIZE, 11).map((value) => 90 + (value & 3));
    const network = buildNetwork(MODEL.manifest.network);
    const upper = countCost(network, { keptSteps: 1 }).multiplyAdds - countCost(network).lowerMultiplyAdds;
    const apart = await inferAll(clipsOf(noisy, 'anchored-clip'), STILL);

    const shared = await inferAll(clipsOf(noisy, 'anchored-stream'), { ...STILL, anchor: 'stream' });

    // Of 8 steps 2 are new: four clips have a step in common with the first of them.
    shared.forEach(({ logits, compute }, n) => {
      const held = n % 4 > 0;
      const alike = apart[n]!.compute;
      expect(logits).toEqual(apart[n - (n % 4)]!.logits);
      expect([compute.keptSteps, compute.reusedKeptSteps]).toEqual([1, held ? 1 : 0]);
      expect(compute.multiplyAdds).toBe(alike.multiplyAdds - (held ? upper : 0));
      expect(compute.reusedMultiplyAdds).toBe(alike.reusedMultiplyAdds + (held ? upper : 0));
    });
    expect(apart.map(({ compute }) => compute.reusedKeptSteps)).toEqual(apart.map(() => 0));
    expect(shared.length).toBeGreaterThan(8);
  });

  test('bins that run on: moving clips, and clips of no stream, are what they were, bit for bit', async () => {
    const clips = clipsOf(movingPictures(40, SIZE, 12), 'moving-clip');
    const apart = await inferAll(clips);
    const anchored: SamplerOptions = { ...ORDERED, anchor: 'stream' };

    const running = await inferAll(clipsOf(movingPictures(40, SIZE, 12), 'moving-stream'), anchored);

    expect(running.map(({ logits }) => logits)).toEqual(apart.map(({ logits }) => logits));
    expect(apart.every(({ compute }) => compute.keptSteps > 1)).toBe(true);
    const { clipId, frames, height, width, data } = clips[1]!;
    const single = { clipId, frames, height, width, data };
    expect((await engine.infer(single, { sampler: anchored })).compute.reusedKeptSteps).toBe(0);
  });

  test('a segment shares nothing with the one before', async () => {
    const clips = clipsOf(movingPictures(40, SIZE, 7), 'cut');
    await inferAll(clips);
    const [first] = clips.map((clip) => ({ ...clip, stream: { ...clip.stream!, segment: 1 } }));
    const moved = { ...first!, data: movingPictures(FRAMES, SIZE, 8) };

    const found = await engine.infer(moved, { sampler: ORDERED });

    expect(found.compute.reusedSteps).toBe(0);
    expect(found.logits).toEqual((await alone.infer(moved, { sampler: ORDERED })).logits);
  });

  test('a clip that comes without the pictures before it is refused', async () => {
    const clip = clipsOf(movingPictures(40, SIZE, 7), 'bare')[1]!;
    const bare = { ...clip, stream: { ...clip.stream!, before: new Uint8Array() } };

    await expect(engine.infer(bare, { sampler: ORDERED })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  test('memory is flat over a thousand clips', async () => {
    const clips = clipsOf(movingPictures(64, SIZE, 9), 'long');
    const run = async (rounds: number): Promise<number> => {
      for (let n = 0; n < rounds; n += 1) {
        for (const clip of clips) {
          const stream = { ...clip.stream!, id: `s${n % 7}`, segment: n };
          await engine.infer({ ...clip, stream }, { sampler: { kind: 'uniform', stride: 8 } });
        }
      }
      collectGarbage();
      return process.memoryUsage().arrayBuffers;
    };
    const before = await run(25);

    // Without reuse of buffers each clip would leave 8 maps of 6 × 8 × 4 floats
    // and its pixels: 3 MB a hundred clips.
    expect((await run(75)) - before).toBeLessThan(8e6);
  });
});

test('networks whose lower half looks at the whole clip say why they share nothing', async () => {
  const sgs = { ...SGS, after: 'MaxPool_3a' } as const;
  const model = createUntrainedModel({ network: { ...NETWORK, sgs }, seed: 3 });
  await using gated = await createOnnxEngine({ model, threads: 1 });
  const clip = clipsOf(movingPictures(24, SIZE, 1), 'gated')[1]!;

  expect(gated.info.reuse).toBeUndefined();
  expect(gated.info.reuseUnsupported).toMatch(/Conv_2c.gate/);
  expect((await gated.infer(clip, { sampler: ORDERED })).compute.reusedSteps).toBe(0);
});

function clipsOf(pixels: Uint8Array, id: string): readonly PixelClip[] {
  const total = pixels.length / SIZE;
  return Array.from({ length: Math.floor((total - FRAMES) / STRIDE) + 1 }, (_, n) => {
    const firstFrame = n * STRIDE;
    const before = pixels.slice(Math.max(0, firstFrame - 2) * SIZE, firstFrame * SIZE);
    const data = pixels.slice(firstFrame * SIZE, (firstFrame + FRAMES) * SIZE);
    const stream = { id, segment: 0, firstFrame, before };
    return { clipId: `${id}/${firstFrame}`, frames: FRAMES, height: 16, width: 24, data, stream };
  });
}

async function inferAll(
  clips: readonly PixelClip[],
  sampler: SamplerOptions = ORDERED,
): Promise<readonly InferenceResult[]> {
  const results = [];
  for (const clip of clips) results.push(await engine.infer(clip, { sampler }));
  return results;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}

/** What nobody holds any more is not counted, whenever the machine comes to collect it. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
}
