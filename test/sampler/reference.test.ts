import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planSampling } from '../../src/sampler/index.ts';
import type { ReferenceOptions } from '../../src/sampler/types.ts';
import { anyClip, embeddingsOf, noise, rowsOf, staticClip } from './embeddings.ts';

const reference = (more: Partial<ReferenceOptions> = {}): ReferenceOptions => ({
  kind: 'reference',
  kernel: 'linear',
  distance: 'l2',
  ...more,
});
const anyOptions = fc.record({
  kind: fc.constant('reference' as const),
  kernel: fc.constantFrom(
    'linear' as const,
    'linear_normalized' as const,
    'delta' as const,
    'delta_normalized' as const,
  ),
  distance: fc.constantFrom('l2' as const, 'l1' as const),
  bins: fc.integer({ min: 1, max: 40 }),
});
const drift = embeddingsOf(Array.from({ length: 32 }, (_, t) => [t * 0.1]));

describe('reference: the arithmetic, by hand', () => {
  // Mean 300, Δ = 300, 200, 100, 600; two bins, so Δ′ = 2, 4/3, 2/3, 4 and centres
  // 1 and 3. The 1e-6 on each difference moves the first step 1e-8 into the upper
  // bin; the lower linear bin still holds it by its own 1e-7, and counts it.
  const clip = embeddingsOf([[0], [100], [200], [900]]);
  const expected: Readonly<Record<ReferenceOptions['kernel'], number[][]>> = {
    linear: [
      [0, 2 / 3, 2 / 3, 0],
      [0, 0, 0, 0],
    ],
    linear_normalized: [
      [0, 2 / 9, 2 / 9, 0],
      [0, 0, 0, 0],
    ],
    delta: [
      [0, 1, 1, 0],
      [1, 0, 0, 1],
    ],
    delta_normalized: [
      [0, 1 / 2, 1 / 2, 0],
      [1 / 2, 0, 0, 1 / 2],
    ],
  };

  it.each(Object.entries(expected))('kernel %s', (kernel, rows) => {
    const plan = planSampling(clip, reference({ bins: 2, kernel: kernel as ReferenceOptions['kernel'] }));

    expect(plan.outputLength).toBe(2);
    rowsOf(plan).forEach((row, b) => {
      row.forEach((weight, t) => {
        expect(weight).toBeCloseTo(rows[b]![t]!, 5);
      });
    });
  });

  it('takes as many bins as steps where none are given', () => {
    expect(planSampling(drift, reference())).toEqual(planSampling(drift, reference({ bins: 32 })));
  });
});

describe('reference: rules', () => {
  it('rows are ≥ 0, finite and not empty; B′ ≤ B; one row at least', () => {
    fc.assert(
      fc.property(anyClip, anyOptions, (clip, options) => {
        const plan = planSampling(embeddingsOf(clip), options);

        expect(plan.outputLength).toBeGreaterThanOrEqual(1);
        expect(plan.outputLength).toBeLessThanOrEqual(options.bins);
        expect(plan.weights.every((weight) => weight >= 0 && Number.isFinite(weight))).toBe(true);
        for (const row of rowsOf(plan)) expect(row.some((weight) => weight > 0)).toBe(true);
      }),
    );
  });

  it('permuting time steps permutes columns', () => {
    // Values on a grid, so that the mean does not depend on the order in which it is summed.
    const grid = fc.array(fc.array(fc.integer({ min: -64, max: 64 }), { minLength: 3, maxLength: 3 }), {
      minLength: 2,
      maxLength: 16,
    });
    fc.assert(
      fc.property(grid, anyOptions, fc.nat(), (clip, options, turn) => {
        const n = clip.length;
        const order = clip.map((_, t) => (t + turn) % n).reverse();

        const plain = rowsOf(planSampling(embeddingsOf(clip), options));
        const permuted = rowsOf(planSampling(embeddingsOf(order.map((t) => clip[t]!)), options));

        expect(permuted).toEqual(plain.map((row) => order.map((t) => row[t]!)));
      }),
    );
  });

  it('equal embeddings give one row, whatever B, T and L are', () => {
    for (let length = 1; length <= 40; length += 3) {
      for (let bins = 1; bins <= 64; bins += 1) {
        const plan = planSampling(staticClip(length, [0.3, -1]), reference({ bins }));
        expect(plan.outputLength).toBe(1);
        expect(plan.weights.every((weight) => weight > 0)).toBe(true);
      }
    }
  });
});

describe('reference: the defects of the official code are part of it (ADR 0006)', () => {
  it('1: the most distinctive step is deleted', () => {
    const flash = embeddingsOf(Array.from({ length: 16 }, (_, t) => [t === 7 ? 5 : 0]));

    const plan = planSampling(flash, reference());

    const weights = rowsOf(plan).map((row) => row[7]!);
    expect(weights[0]).toBe(0);
    expect(weights[1]).toBeCloseTo(1e-7, 12);
    expect(weights).toHaveLength(2);
  });

  it('2: a static clip is blanked', () => {
    const plan = planSampling(staticClip(32, [0.3, 0.3]), reference());

    const total = plan.weights.reduce((a, b) => a + b);
    expect(plan.outputLength).toBe(1);
    expect(total).toBeCloseTo(3.2e-6, 12);
  });

  it('3: a linear drift is folded in time: steps t and T − 1 − t share a row, the middle comes first', () => {
    const plan = planSampling(drift, reference());

    const groups = Array.from(plan.groupOf);
    expect(groups[15]).toBe(0);
    expect(groups[0]).toBe(plan.outputLength - 1);
    for (let t = 0; t < 16; t += 1) expect(groups[31 - t]).toBe(groups[t]);
  });

  it('4: random embeddings already give B′ of about half of T', () => {
    const next = noise(1);
    const kept = Array.from({ length: 100 }, () => {
      const steps = Array.from({ length: 32 }, () => Array.from({ length: 8 }, next));
      return planSampling(embeddingsOf(steps), reference()).outputLength;
    });

    const mean = kept.reduce((a, b) => a + b) / kept.length;
    expect(mean).toBeGreaterThan(15);
    expect(mean).toBeLessThan(17);
  });
});
