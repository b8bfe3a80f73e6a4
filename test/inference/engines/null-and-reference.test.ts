import { describe, expect, it } from 'vitest';
import { createUntrainedModel } from '../../../src/inference/weights/untrained-model.ts';
import { goldenClip } from '../../support/golden-weights.ts';
import { createNullEngine, createReferenceEngine } from '../../support/own-engines.ts';

const SIZE = { frames: 16, height: 32, width: 32 } as const;
const SGS = { after: 'Conv_2b', embedding: { kind: 'pooled', grid: 1 }, boundary: 'as_is' } as const;
const MODEL = createUntrainedModel({
  network: { ...SIZE, variant: 's3d-g', classes: 4, widthMultiplier: 0.125, sgs: SGS },
  seed: 1,
});
const NONE = { kind: 'none' } as const;

describe('reference engine', () => {
  it('stops a running clip between two nodes', async () => {
    await using engine = createReferenceEngine(MODEL);
    const abort = new AbortController();
    const running = engine.infer(goldenClip(1, SIZE), { sampler: NONE, signal: abort.signal });
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort();

    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('refuses weights of another network when it is made, not at the first clip', () => {
    const other = { ...MODEL, weights: new Map() };

    expect(() => createReferenceEngine(other)).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }));
  });

  it('gives untrained networks scores that are numbers and differ', async () => {
    await using engine = createReferenceEngine(MODEL);

    const { logits } = await engine.infer(goldenClip(1, SIZE), { sampler: MODEL.manifest.sampler });

    expect(logits.every(Number.isFinite)).toBe(true);
    expect(new Set(logits).size).toBe(4);
  });
});

describe('null engine', () => {
  it('gives the same scores to the same pixels in another process: they come from a hash', async () => {
    await using engine = createNullEngine(MODEL);

    const { logits } = await engine.infer(goldenClip(1, SIZE), { sampler: NONE });

    expect([...logits].map((logit) => Number(logit.toFixed(4)))).toEqual([1.4524, -0.5785, 2.5684, -3.5363]);
  });

  it('gives fixed logits where it is told to', async () => {
    await using engine = createNullEngine(MODEL, { logits: [0, 0, 5, 0] });

    const { scores } = await engine.infer(goldenClip(1, SIZE), { sampler: NONE });

    expect(scores.indexOf(Math.max(...scores))).toBe(2);
  });

  it('keeps more steps of a clip that changes more', async () => {
    await using engine = createNullEngine(MODEL);
    const sampler = { kind: 'ordered', width: 0.3, distance: 'l2' } as const;
    const kept = async (hold: number): Promise<number> =>
      (await engine.infer(goldenClip(1, SIZE, hold), { sampler })).compute.keptSteps;

    const [still, cuts, lively] = [await kept(16), await kept(4), await kept(1)];

    expect(still).toBe(1);
    expect(cuts).toBe(4);
    expect(lively).toBe(8);
  });

  it('pretends to take as long as it is told, and ends early when aborted', async () => {
    await using engine = createNullEngine(MODEL, { delayMs: 600_000 });
    const abort = new AbortController();
    const running = engine.infer(goldenClip(1, SIZE), { sampler: NONE, signal: abort.signal });
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort();

    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
