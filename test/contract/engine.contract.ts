import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ActionstreamError, type ErrorCode } from '../../src/core/errors.ts';
import type { InferenceEngine, PixelClip } from '../../src/inference/engine.ts';
import type { Model } from '../../src/inference/model.ts';
import { buildNetwork } from '../../src/inference/network/build.ts';
import { countCost } from '../../src/inference/network/cost.ts';
import type { SamplerOptions } from '../../src/sampler/index.ts';
import { goldenClip, goldenModel } from '../support/golden-weights.ts';
import { createReferenceEngine } from '../support/own-engines.ts';

type EngineFactory = (model: Model) => InferenceEngine | Promise<InferenceEngine>;

const SIZE = { frames: 16, height: 32, width: 32 } as const;
const ORDERED = { kind: 'ordered', width: 0.01, distance: 'l2' } as const satisfies SamplerOptions;
const NONE: SamplerOptions = { kind: 'none' };
const DENSE = { ...SIZE, variant: 's3d-g', classes: 7, widthMultiplier: 0.125 } as const;
const SGS = { after: 'Conv_2b', embedding: { kind: 'pooled', grid: 1 }, boundary: 'as_is' } as const;
const MODEL = goldenModel({ network: { ...DENSE, sgs: SGS }, seed: 5, gamma: 0.7, sampler: ORDERED });
const BOUNDED = { ...SGS, boundary: 'nearest_complete' } as const;
const STREAMED = goldenModel({ network: { ...DENSE, sgs: BOUNDED }, seed: 5, gamma: 0.7, sampler: ORDERED });
const LIVELY = goldenClip(1, SIZE);
const STILL = goldenClip(2, SIZE, SIZE.frames);

/**
 * What every engine promises (src/inference/engine.ts). `scores`: `reference`
 * where they must be the reference engine's, `own` for an engine that computes
 * no network. `shares`: its clips of a stream share steps (ADR 0019).
 */
export function describeEngineContract(
  name: string,
  createEngine: EngineFactory,
  {
    scores,
    device,
    shares = false,
  }: { readonly scores: 'reference' | 'own'; readonly device?: string; readonly shares?: boolean },
): void {
  describe(device === undefined ? `${name} engine` : `${name} engine on ${device}`, () => {
    let engine: InferenceEngine;
    beforeAll(async () => {
      engine = await createEngine(MODEL);
    });
    afterAll(async () => {
      await engine[Symbol.asyncDispose]();
    });

    it('tells its model, labels, clip size and default sampler', () => {
      const { id, version, labels, sampler, clip } = MODEL.manifest;

      expect(engine.info.engine).toBe(name);
      if (device !== undefined) expect(engine.info.device).toBe(device);
      expect(engine.info).toMatchObject({ ...SIZE, labels, sampler, clip });
      expect(engine.info.model).toEqual({ id, version, digest: MODEL.digest });
    });

    it('gives one score in [0, 1] a label, summing to one under softmax', async () => {
      const { clipId, logits, scores: found } = await engine.infer(LIVELY, { sampler: NONE });

      expect(clipId).toBe(LIVELY.clipId);
      expect(logits).toHaveLength(7);
      expect(Math.min(...found)).toBeGreaterThanOrEqual(0);
      expect(found.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    });

    it('tells clips apart', async () => {
      const lively = await engine.infer(LIVELY, { sampler: NONE });
      const still = await engine.infer(STILL, { sampler: NONE });

      expect(largestDifference(lively.logits, still.logits)).toBeGreaterThan(0.01);
    });

    if (scores === 'reference') {
      const samplers: readonly SamplerOptions[] = [NONE, ORDERED, { kind: 'uniform', stride: 3 }];
      it.each(samplers.map((sampler) => [sampler.kind, sampler] as const))(
        'gives the scores and plan of the reference engine under sampler %s',
        async (_, sampler) => {
          await using reference = createReferenceEngine(MODEL);

          for (const clip of [LIVELY, STILL]) {
            const expected = await reference.infer(clip, { sampler });
            const found = await engine.infer(clip, { sampler });

            expect(largestDifference(found.logits, expected.logits)).toBeLessThan(1e-4);
            expect(largestDifference(found.scores, expected.scores)).toBeLessThan(1e-4);
            expect(found.plan.outputLength).toBe(expected.plan.outputLength);
            expect(largestDifference(found.plan.weights, expected.plan.weights)).toBeLessThan(1e-3);
          }
        },
      );
    }

    it(`${shares ? 'shares' : 'does not share'} steps between overlapping clips of a stream, and says so`, async () => {
      await using sharing = await createEngine(STREAMED);
      const { contextFrames = 0 } = sharing.info.reuse ?? {};
      const clips = clipsOf(goldenClip(3, { ...SIZE, frames: 28 }), contextFrames);

      expect(sharing.info.reuse !== undefined).toBe(shares);
      for (const { stream, ...clip } of clips) {
        const alone = await sharing.infer(clip, { sampler: ORDERED });
        const found = await sharing.infer({ ...clip, stream }, { sampler: ORDERED });
        sharing.closeStream?.('once');
        const again = await sharing.infer(
          { ...clip, stream: { ...stream, id: 'once' } },
          { sampler: ORDERED },
        );

        expect(found.plan.outputLength).toBe(alone.plan.outputLength);
        expect(largestDifference(found.plan.weights, alone.plan.weights)).toBeLessThan(1e-3);
        expect(largestDifference(found.logits, again.logits)).toBeLessThan(1e-4);
        if (!shares || stream.firstFrame === 0) expect(found.logits).toEqual(alone.logits);
        if (!shares) expect(found.compute.reusedSteps).toBe(0);
        else if (stream.firstFrame > 0) {
          // Of 8 steps 2 see new frames, and 1 the padding behind the clip before.
          expect(found.compute.reusedSteps).toBe(5);
          expect(found.compute.multiplyAdds).toBeLessThan(0.8 * alone.compute.multiplyAdds);
        }
      }
    });

    it('scores a clip again from its kept maps alone, as if it had come with its pixels', async () => {
      const at = { clipId: 'audited' };
      const { data, ...shape } = LIVELY;
      const kept = { ...shape, ...at, data: data.slice(0, 0) };
      const expected = await engine.infer(LIVELY, { sampler: NONE });
      const sampled = await engine.infer({ ...LIVELY, ...at }, { sampler: ORDERED, maps: 'keep' });
      await engine.infer(STILL, { sampler: NONE });
      const dense = await engine.infer(kept, { sampler: NONE, maps: 'kept' });
      const again = await engine.infer(kept, { sampler: ORDERED, maps: 'kept' });
      engine.forgetMaps?.('audited');

      expect(dense.logits).toEqual(expected.logits);
      expect(again.logits).toEqual(sampled.logits);
      expect(dense.compute.reusedSteps).toBe(dense.compute.inputSteps);
      expect(dense.compute.multiplyAdds).toBeLessThan(expected.compute.multiplyAdds);
      await expectCode('ENGINE_FAILED', engine.infer(kept, { sampler: NONE, maps: 'kept' }));
    });

    it('gives the clips of a stream the same bits whether or not the maps of some are kept', async () => {
      const run = async (audited: boolean): Promise<readonly Float32Array[]> => {
        await using sharing = await createEngine(STREAMED);
        const { contextFrames = 0 } = sharing.info.reuse ?? {};
        const logits: Float32Array[] = [];
        const anchored = { ...ORDERED, width: 1, anchor: 'stream' } as const;
        for (const clip of clipsOf(goldenClip(3, { ...SIZE, frames: 28 }), contextFrames)) {
          const options = { sampler: anchored, ...(audited && { maps: 'keep' as const }) };
          logits.push((await sharing.infer(clip, options)).logits);
          if (audited) await sharing.infer(clip, { sampler: NONE, maps: 'kept' });
        }
        return logits;
      };

      expect(await run(true)).toEqual(await run(false));
    });

    it('keeps every step under sampler none, and one step of a still clip under ordered', async () => {
      const dense = await engine.infer(STILL, { sampler: NONE });
      const sampled = await engine.infer(STILL, { sampler: { ...ORDERED, width: 100 } });

      expect(dense.compute.keptSteps).toBe(dense.compute.inputSteps);
      expect(sampled.compute.keptSteps).toBe(1);
    });

    it('reports what its plan did and what the cost model says', async () => {
      const network = buildNetwork(MODEL.manifest.network);
      const { plan, compute } = await engine.infer(LIVELY, { sampler: { kind: 'uniform', stride: 3 } });

      expect(compute.inputSteps).toBe(plan.inputLength);
      expect(compute.keptSteps).toBe(plan.outputLength);
      expect(compute.keptSteps).toBeLessThan(compute.inputSteps);
      const { multiplyAdds } = countCost(network, { keptSteps: compute.keptSteps });
      expect(compute.multiplyAdds).toBe(multiplyAdds);
      expect(compute.denseMultiplyAdds).toBe(countCost(network).multiplyAdds);
      expect(compute).toMatchObject({ engine: engine.info.engine, device: engine.info.device });
      for (const ms of [compute.lowerMs, compute.samplerMs, compute.upperMs]) {
        expect(ms).toBeGreaterThanOrEqual(0);
      }
    });

    it('gives the same answer again, whatever it saw between', async () => {
      const before = await engine.infer(LIVELY, { sampler: ORDERED });
      await engine.infer(STILL, { sampler: NONE });
      const after = await engine.infer(LIVELY, { sampler: ORDERED });

      expect(after.logits).toEqual(before.logits);
      expect(after.plan).toEqual(before.plan);
    });

    it('leaves the pixels as they were', async () => {
      const pixels = LIVELY.data.slice();

      await engine.infer(LIVELY, { sampler: ORDERED });

      expect(LIVELY.data).toEqual(pixels);
    });

    it.each<[string, PixelClip]>([
      ['frames', goldenClip(1, { ...SIZE, frames: 15 })],
      ['height', goldenClip(1, { ...SIZE, height: 31 })],
      ['width', goldenClip(1, { ...SIZE, width: 33 })],
      ['bytes', { ...LIVELY, data: LIVELY.data.subarray(1) }],
    ])('rejects a clip of wrong %s before computing anything', async (_, wrong) => {
      const order: string[] = [];
      const right = engine.infer(LIVELY, { sampler: NONE }).then(() => order.push('right'));

      await expectCode('INPUT_INVALID', engine.infer(wrong, { sampler: NONE }));
      order.push('wrong');
      await right;

      expect(order).toEqual(['wrong', 'right']);
    });

    it('refuses to sample in a network without an SGS layer, and says where to place one', async () => {
      await using dense = await createEngine(goldenModel({ network: DENSE, seed: 5 }));

      await expect(dense.infer(LIVELY, { sampler: ORDERED })).rejects.toThrow(/sgs.after.*Conv_2b/);
      await expectCode('SAMPLER_INVALID', dense.infer(LIVELY, { sampler: ORDERED }));
    });

    it('answers calls in the order in which they came', async () => {
      const clips = [LIVELY, STILL, LIVELY].map((clip, n) => ({ ...clip, clipId: `call-${n}` }));
      const order: string[] = [];

      await Promise.all(
        clips.map(async (clip) => {
          const { clipId } = await engine.infer(clip, { sampler: NONE });
          order.push(clipId);
        }),
      );

      expect(order).toEqual(['call-0', 'call-1', 'call-2']);
    });

    it('drops a waiting call when its signal aborts, and only that one', async () => {
      const abort = new AbortController();
      const first = engine.infer(LIVELY, { sampler: NONE });
      const waiting = engine.infer(STILL, { sampler: NONE, signal: abort.signal });
      const last = engine.infer(STILL, { sampler: NONE });
      abort.abort();

      await expectCode('ABORTED', waiting);
      expect((await first).clipId).toBe(LIVELY.clipId);
      expect((await last).clipId).toBe(STILL.clipId);
      await expectCode('ABORTED', engine.infer(LIVELY, { sampler: NONE, signal: abort.signal }));
    });

    it('may be disposed of twice; what then waits or comes later is aborted', async () => {
      const shortLived = await createEngine(MODEL);
      const calls = [LIVELY, STILL].map((clip) => shortLived.infer(clip, { sampler: NONE }));
      const results = Promise.allSettled(calls);

      await shortLived[Symbol.asyncDispose]();
      await shortLived[Symbol.asyncDispose]();

      const waiting = (await results).at(-1)!;
      expect(waiting.status === 'rejected' && waiting.reason).toMatchObject({ code: 'ABORTED' });
      await expectCode('ABORTED', shortLived.infer(LIVELY, { sampler: NONE }));
    });
  });
}

/**
 * Clips of all frames, a quarter of a clip apart, each with the frames before it that an engine asks for.
 */
function clipsOf({ data, height, width }: PixelClip, contextFrames: number) {
  const frameBytes = height * width * 3;
  const { frames } = SIZE;
  const stride = frames / 4;
  return Array.from({ length: Math.floor((data.length / frameBytes - frames) / stride) + 1 }, (_, n) => {
    const firstFrame = n * stride;
    const part = (from: number, to: number): Uint8Array => data.slice(from * frameBytes, to * frameBytes);
    const before = part(Math.max(0, firstFrame - contextFrames), firstFrame);
    const stream = { id: 'stream', segment: 0, firstFrame, before };
    return { clipId: `stream/${n}`, ...SIZE, data: part(firstFrame, firstFrame + frames), stream };
  });
}

async function expectCode(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ActionstreamError);
  expect((error as ActionstreamError).code).toBe(code);
}

function largestDifference(found: Float32Array, expected: Float32Array): number {
  expect(found.length).toBe(expected.length);
  return found.reduce((largest, value, i) => Math.max(largest, Math.abs(value - expected[i]!)), 0);
}
