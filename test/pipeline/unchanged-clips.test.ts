import { expect, test } from 'vitest';
import type { Clip, Frame } from '../../src/core/frame.ts';
import type { InferenceEngine } from '../../src/inference/engine.ts';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import { POOLED } from '../../src/inference/network/similarity.ts';
import { createUntrainedModel } from '../../src/inference/weights/untrained-model.ts';
import { clipsOfFrames } from '../../src/ingest/index.ts';
import { createPixelPacker } from '../../src/pipeline/pack-pixels.ts';
import { scoreUnchangedOnce } from '../../src/pipeline/unchanged-clips.ts';
import type { SamplerOptions } from '../../src/sampler/types.ts';

const FRAMES = 16;
const STRIDE = 4;
const SIZE = 16;
const ORDERED = { kind: 'ordered', width: 0.05, distance: 'l2' } as const;

test('a clip that repeats the one before it has the bits that computing it gives, and costs nothing', async () => {
  await using engine = await open();
  // Nothing happens for a while, then every frame is new.
  const contents = [...Array<number>(32).fill(0), ...Array.from({ length: 16 }, (_, t) => t + 1)];
  const clips = clipsOf(engine, contents);
  const expected = await Promise.all(
    clips.map((clip) => engine.infer(packer(engine, ORDERED)(clip), { sampler: ORDERED })),
  );

  const results = await scoreAll(engine, clips, ORDERED);

  expect(results.map(({ logits }) => logits)).toEqual(expected.map(({ logits }) => logits));
  // The first clip sees padding before it, which the second does not.
  expect(results.map(({ compute }) => compute.multiplyAdds > 0)).toEqual([
    ...[true, true, false, false, false],
    ...[true, true, true, true],
  ]);
  const [, computed, free] = results;
  expect(free?.compute).toMatchObject({
    reusedSteps: computed?.compute.inputSteps,
    reusedKeptSteps: computed?.compute.keptSteps,
    reusedMultiplyAdds: (computed?.compute.multiplyAdds ?? 0) + (computed?.compute.reusedMultiplyAdds ?? 0),
  });
});

test('a clip whose maps are to be kept is computed, with the same bits', async () => {
  await using engine = await open();
  const clips = clipsOf(engine, Array<number>(32).fill(0));
  const pack = packer(engine, ORDERED);
  const scorer = scoreUnchangedOnce(engine);
  for (const clip of clips.slice(0, 2)) await scorer.infer(pack(clip), { sampler: ORDERED });

  const packed = pack(clips[2]!);
  const kept = await scorer.infer(packed, { sampler: ORDERED, maps: 'keep' });
  const again = await engine.infer(packed, { sampler: ORDERED, maps: 'kept' });
  const after = await scorer.infer(pack(clips[3]!), { sampler: ORDERED });

  expect(packed.repeats).toBe(clips[1]!.clipId);
  expect(again.logits).toEqual(kept.logits);
  expect(after.logits).toEqual(kept.logits);
  expect(after.compute.multiplyAdds).toBe(0);
});

test('another δ, and a clip whose predecessor failed, are computed', async () => {
  await using engine = await open();
  const clips = clipsOf(engine, Array<number>(36).fill(0));
  const pack = packer(engine, ORDERED);
  let failing = false;
  const scorer = scoreUnchangedOnce({
    infer: (clip, options) => (failing ? Promise.reject(new Error('lost')) : engine.infer(clip, options)),
  });
  const cost = async (clip: Clip, sampler: SamplerOptions): Promise<number> =>
    (await scorer.infer(pack(clip), { sampler })).compute.multiplyAdds;

  await cost(clips[0]!, ORDERED);
  await cost(clips[1]!, ORDERED);
  expect(await cost(clips[2]!, { ...ORDERED, width: 0.1 })).toBeGreaterThan(0);
  failing = true;
  await expect(cost(clips[3]!, ORDERED)).rejects.toThrow('lost');
  failing = false;
  expect(await cost(clips[4]!, ORDERED)).toBeGreaterThan(0);
  expect(await cost(clips[5]!, ORDERED)).toBe(0);
});

test('still frames are shown as their reference to ordered alone, and only where clips reuse work', () => {
  const [first, second] = [frameOf(0, 10), { ...frameOf(1, 11), still: frameOf(0, 10).data }];
  const clip = { ...clipsOfFrames([first, second], windowOf(0, 2))[0]! };
  const shows = (contextFrames: number | undefined, sampler: SamplerOptions): number | undefined =>
    createPixelPacker({ contextFrames, sampler })(clip).data.at(-1);

  expect(shows(2, ORDERED)).toBe(10);
  expect(shows(2, { ...ORDERED, still: 'compute' })).toBe(11);
  expect(shows(2, { kind: 'none' })).toBe(11);
  expect(shows(2, { kind: 'uniform', stride: 2 })).toBe(11);
  expect(shows(2, { kind: 'reference', kernel: 'linear', distance: 'l2' })).toBe(11);
  expect(shows(undefined, ORDERED)).toBe(11);
});

function open(): Promise<InferenceEngine> {
  const size = { frames: FRAMES, height: SIZE, width: SIZE };
  const sgs = { after: 'Conv_2b', embedding: POOLED, boundary: 'nearest_complete' } as const;
  const network = { ...size, classes: 5, widthMultiplier: 0.125, stem: 'dense', sgs } as const;
  return createOnnxEngine({ model: createUntrainedModel({ network, seed: 3 }) });
}

async function scoreAll(engine: InferenceEngine, clips: readonly Clip[], sampler: SamplerOptions) {
  const pack = packer(engine, sampler);
  const scorer = scoreUnchangedOnce(engine);
  const results = [];
  for (const clip of clips) results.push(await scorer.infer(pack(clip), { sampler }));
  return results;
}

function packer({ info }: InferenceEngine, sampler: SamplerOptions): ReturnType<typeof createPixelPacker> {
  return createPixelPacker({ contextFrames: info.reuse?.contextFrames, sampler });
}

/** Frames with equal contents share their memory. */
function clipsOf({ info }: InferenceEngine, contents: readonly number[]): readonly Clip[] {
  const known = new Map<number, Uint8Array>();
  const frames = contents.map((content, t) => {
    const data = known.get(content) ?? frameOf(t, content).data;
    known.set(content, data);
    return { ...frameOf(t, content), data };
  });
  return clipsOfFrames(frames, windowOf(info.reuse?.contextFrames ?? 0));
}

function windowOf(context: number, frames = FRAMES) {
  return { frames, stride: STRIDE, fps: 10, tail: 'pad', context } as const;
}

function frameOf(index: number, content: number): Frame {
  const data = new Uint8Array(SIZE * SIZE * 3).fill(content);
  data.fill(255, 0, content * 3);
  return {
    ...{ streamId: 'camera', index, segment: 0, ptsUs: index * 100_000 },
    ...{ capturedAtMs: index * 100, ingestedAtMs: index * 100, width: SIZE, height: SIZE, data },
  };
}
