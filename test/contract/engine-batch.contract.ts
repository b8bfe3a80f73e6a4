import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  InferRequest,
  InferenceEngine,
  InferenceResult,
  PixelClip,
} from '../../src/inference/engine.ts';
import type { Model } from '../../src/inference/model.ts';
import type { SamplerOptions } from '../../src/sampler/index.ts';
import { goldenClip, goldenModel } from '../support/golden-weights.ts';

const SIZE = { frames: 16, height: 32, width: 32 } as const;
const STRIDE = 4;
const FRAME_BYTES = SIZE.height * SIZE.width * 3;
const NONE: SamplerOptions = { kind: 'none' };
const ORDERED = { kind: 'ordered', width: 0.01, distance: 'l2' } as const satisfies SamplerOptions;
const EMBEDDING = { kind: 'pooled', grid: 1 } as const;
const SGS = { after: 'Conv_2b', embedding: EMBEDDING, boundary: 'nearest_complete' } as const;
const DENSE = { ...SIZE, variant: 's3d-g', classes: 7, widthMultiplier: 0.125 } as const;
const MODEL = goldenModel({ network: { ...DENSE, sgs: SGS }, seed: 5, gamma: 0.7, sampler: ORDERED });
const SEEDS = [1, 2, 3, 4, 5];
/** One a seed: of 8 steps 8, 4, 3, 1 and as many as `ordered` finds are kept, two of them alike. */
const SAMPLERS: readonly SamplerOptions[] = [
  NONE,
  { kind: 'uniform', stride: 2 },
  { kind: 'uniform', stride: 3 },
  { ...ORDERED, width: 100 },
  { kind: 'uniform', stride: 3 },
];

/**
 * What every engine promises of several clips in one turn (src/inference/engine.ts),
 * together or one by one: the results of the clips alone, whatever else is in the
 * batch. `exact`: to the last bit; else logits within 1e-5.
 */
export function describeBatchContract(
  name: string,
  createEngine: (model: Model) => InferenceEngine | Promise<InferenceEngine>,
  { batch }: { readonly batch?: { readonly maxClips: number; readonly exact: boolean } } = {},
): void {
  describe(`a batch of the ${name} engine`, () => {
    let engine: InferenceEngine;
    beforeAll(async () => {
      engine = await createEngine(MODEL);
    }, 60_000);
    afterAll(async () => {
      await engine[Symbol.asyncDispose]();
    });

    const expectSame = (found: InferenceResult, alone: InferenceResult): void => {
      expect(found.clipId).toBe(alone.clipId);
      expect(found.plan.outputLength).toBe(alone.plan.outputLength);
      expect(largestDifference(found.logits, alone.logits)).toBeLessThan(1e-5);
      if (batch?.exact !== false) expect(found.logits).toEqual(alone.logits);
      const { multiplyAdds, denseMultiplyAdds, keptSteps, reusedSteps } = alone.compute;
      expect(found.compute).toMatchObject({ multiplyAdds, denseMultiplyAdds, keptSteps, reusedSteps });
    };

    const alone = async (calls: readonly InferRequest[]): Promise<readonly InferenceResult[]> => {
      const results: InferenceResult[] = [];
      for (const { clip, ...options } of calls) results.push(await engine.infer(clip, options));
      return results;
    };

    it('says how many clips it takes, and whether their bits depend on each other', () => {
      expect(engine.info.batch).toEqual(batch);
    });

    it('of clips with different kept steps gives each the results of the clip alone, in their order', async () => {
      const calls = SEEDS.map((seed, n) => ({ clip: clipOf(seed), sampler: SAMPLERS[n]! }));
      const expected = await alone(calls);

      const found = await Promise.all(engine.inferBatch(calls));

      expect(new Set(expected.map(({ compute }) => compute.keptSteps)).size).toBeGreaterThanOrEqual(4);
      found.forEach((result, n) => {
        expectSame(result, expected[n]!);
      });
    });

    it('of different streams, some of which go on, equals the same streams clip by clip', async () => {
      for (let round = 0; round < 3; round++) {
        // Streams begin one after the other; the last clip belongs to none.
        const clips = [1, 2, 3].flatMap((seed, n) => (n > round ? [] : [streamed(seed, round - n, engine)]));
        const callsOf = (suffix: string) => [
          ...clips.map(({ stream, ...clip }, n) => ({
            clip: { ...clip, stream: { ...stream, id: `${stream.id}-${suffix}` } },
            sampler: n === 1 ? ORDERED : ({ kind: 'uniform', stride: n + 1 } as const),
          })),
          { clip: clipOf(9), sampler: ORDERED },
        ];
        const expected = await alone(callsOf('alone'));

        const found = await Promise.all(engine.inferBatch(callsOf('together')));

        found.forEach((result, n) => {
          expectSame(result, expected[n]!);
        });
        if (engine.info.reuse && round > 0) expect(found[0]!.compute.reusedSteps).toBeGreaterThan(0);
      }
    });

    it('loses nothing but its wrong clip', async () => {
      const right = [1, 2].map((seed) => ({ clip: clipOf(seed), sampler: ORDERED }));
      const wrong = { clip: { ...clipOf(3), data: new Uint8Array(5) }, sampler: ORDERED };

      const [first, bad, second] = await Promise.allSettled(engine.inferBatch([right[0]!, wrong, right[1]!]));

      expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'INPUT_INVALID' } });
      expect([first, second].map((one) => one?.status)).toEqual(['fulfilled', 'fulfilled']);
    });

    it('loses nothing but the clips that are given up, before or while it runs', async () => {
      const [before, during] = [new AbortController(), new AbortController()];
      before.abort();
      const results = Promise.allSettled(
        engine.inferBatch([
          { clip: clipOf(1), sampler: NONE, signal: before.signal },
          { clip: clipOf(2), sampler: NONE },
          { clip: clipOf(3), sampler: NONE, signal: during.signal },
          { clip: clipOf(4), sampler: ORDERED },
        ]),
      );
      during.abort();

      const [early, kept, late, last] = await results;
      for (const one of [early, late]) expect(one).toMatchObject({ reason: { code: 'ABORTED' } });
      for (const one of [kept, last]) expect(one?.status).toBe('fulfilled');
    });

    it('takes its turn: a clip that came later is answered later', async () => {
      const order: string[] = [];
      const note = async (running: Promise<InferenceResult>): Promise<void> => {
        order.push((await running).clipId);
      };
      const together = engine.inferBatch([1, 2].map((seed) => ({ clip: clipOf(seed), sampler: ORDERED })));

      await Promise.all([...together.map(note), note(engine.infer(clipOf(3), { sampler: ORDERED }))]);

      expect(order.at(-1)).toBe('clip-3');
    });

    it('refuses a second clip of a stream, whose first one it would need', async () => {
      const calls = [0, 1].map((n) => ({ clip: streamed(1, n, engine, 'twice'), sampler: ORDERED }));

      const [first, second] = await Promise.allSettled(engine.inferBatch(calls));

      expect(first?.status).toBe('fulfilled');
      expect(second).toMatchObject({ reason: { code: 'INPUT_INVALID' } });
    });

    it('of a network without SGS layer equals the clips alone', async () => {
      await using dense = await createEngine(goldenModel({ network: DENSE, seed: 5 }));
      const calls = SEEDS.map((seed) => ({ clip: clipOf(seed), sampler: NONE }));

      const found = await Promise.all(dense.inferBatch(calls));

      for (const [n, { clip, ...options }] of calls.entries())
        expectSame(found[n]!, await dense.infer(clip, options));
    });
  });
}

function clipOf(seed: number): PixelClip {
  return { ...goldenClip(seed, SIZE), clipId: `clip-${seed}` };
}

/**
 * The n-th clip of a stream, a quarter of a clip after the one before, with the
 * frames before it that the engine asks for.
 */
function streamed(seed: number, n: number, { info }: InferenceEngine, id = `stream-${seed}`) {
  const { data } = goldenClip(seed, { ...SIZE, frames: SIZE.frames + 3 * STRIDE });
  const firstFrame = n * STRIDE;
  const part = (from: number, to: number): Uint8Array => data.slice(from * FRAME_BYTES, to * FRAME_BYTES);
  const before = part(Math.max(0, firstFrame - (info.reuse?.contextFrames ?? 0)), firstFrame);
  const stream = { id, segment: 0, firstFrame, before };
  return { clipId: `${id}/${n}`, ...SIZE, data: part(firstFrame, firstFrame + SIZE.frames), stream };
}

function largestDifference(found: Float32Array, expected: Float32Array): number {
  return found.reduce((largest, value, i) => Math.max(largest, Math.abs(value - expected[i]!)), 0);
}
