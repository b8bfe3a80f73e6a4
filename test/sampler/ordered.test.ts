import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planSampling } from '../../src/sampler/index.ts';
import type { OrderedOptions } from '../../src/sampler/types.ts';
import { anyClip, embeddingsOf, noise, rowsOf, staticClip } from './embeddings.ts';

const ordered = (width: number, more: Partial<OrderedOptions> = {}): OrderedOptions => ({
  kind: 'ordered',
  width,
  distance: 'l2',
  ...more,
});
const anyWidth = fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 8, noNaN: true }));
const anyOptions = fc.record({
  kind: fc.constant('ordered' as const),
  width: anyWidth,
  distance: fc.constantFrom('l2' as const, 'l1' as const),
  noiseFloor: fc.constantFrom(0, 0.5),
});

describe('ordered: the arithmetic, by hand', () => {
  it('puts s = 0, 0.3, 0.9, 1.2 into bins of width 1 with kernel 1 − |s − β|/δ', () => {
    const plan = planSampling(embeddingsOf([[0], [0.3], [0.9], [1.2]]), ordered(1));

    // k = 0.5, 0.8, 0.6 around β = 0.5; the last step is alone around β = 1.5.
    expect(plan.outputLength).toBe(2);
    const [first, second] = rowsOf(plan);
    [0.5 / 1.9, 0.8 / 1.9, 0.6 / 1.9, 0].forEach((weight, t) => {
      expect(first?.[t]).toBeCloseTo(weight, 6);
    });
    expect(second).toEqual([0, 0, 0, 1]);
    expect(Array.from(plan.groupOf)).toEqual([0, 0, 0, 1]);
  });

  it('measures l2 and l1 lengths of each step', () => {
    const corner = embeddingsOf([
      [0, 0],
      [3, 4],
    ]);

    expect(planSampling(corner, ordered(6)).outputLength).toBe(1);
    expect(planSampling(corner, ordered(6, { distance: 'l1' })).outputLength).toBe(2);
  });

  it('adds lengths: there and back is a way of two, not none', () => {
    const plan = planSampling(embeddingsOf([[0], [1], [0]]), ordered(0.9));

    expect(Array.from(plan.groupOf)).toEqual([0, 1, 2]);
  });

  it('gives one step a bin on a drift of exactly one bin width a step', () => {
    for (const width of [0.1, 0.05, 0.3, 1]) {
      const drift = embeddingsOf(Array.from({ length: 32 }, (_, t) => [t * width]));
      expect(planSampling(drift, ordered(width)).outputLength).toBe(32);
    }
  });

  it('keeps every distinct step, and only those, at width 0', () => {
    const plan = planSampling(embeddingsOf([[1], [1], [1.0001], [1.0001], [1]]), ordered(0));

    expect(Array.from(plan.groupOf)).toEqual([0, 0, 1, 1, 2]);
    expect(rowsOf(plan)[0]).toEqual([0.5, 0.5, 0, 0, 0]);
  });
});

describe('ordered: rules', () => {
  it('rows are ≥ 0 and sum to one, and B′ ≤ T', () => {
    fc.assert(
      fc.property(anyClip, anyOptions, (clip, options) => {
        const plan = planSampling(embeddingsOf(clip), options);

        expect(plan.outputLength).toBeLessThanOrEqual(clip.length);
        expect(plan.weights.every((weight) => weight >= 0)).toBe(true);
        for (const row of rowsOf(plan)) {
          expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
        }
      }),
    );
  });

  it('groups are contiguous, in order, and hold every step exactly once', () => {
    fc.assert(
      fc.property(anyClip, anyOptions, (clip, options) => {
        const plan = planSampling(embeddingsOf(clip), options);

        const groups = Array.from(plan.groupOf);
        expect(groups[0]).toBe(0);
        expect(groups.at(-1)).toBe(plan.outputLength - 1);
        groups.slice(1).forEach((group, i) => {
          expect(group - groups[i]!).toBeGreaterThanOrEqual(0);
          expect(group - groups[i]!).toBeLessThanOrEqual(1);
        });
        const uses = groups.map((_, t) => rowsOf(plan).filter((row) => row[t]! > 0).length);
        expect(uses).toEqual(groups.map(() => 1));
      }),
    );
  });

  it('no step loses more than half of its equal share of its row; a lone step weighs exactly 1', () => {
    fc.assert(
      fc.property(anyClip, anyOptions, (clip, options) => {
        const plan = planSampling(embeddingsOf(clip), options);

        for (const row of rowsOf(plan)) {
          const members = row.filter((weight) => weight > 0);
          if (members.length === 1) expect(members).toEqual([1]);
          for (const weight of members) expect(weight).toBeGreaterThan((1 - 1e-5) / (2 * members.length));
        }
      }),
    );
  });

  it('is causal: what comes after a step changes neither its group nor any finished row', () => {
    fc.assert(
      fc.property(anyClip, anyClip, anyOptions, (past, future, options) => {
        const later = future.map((step) => past[0]!.map((_, i) => step[i % step.length]!));
        const whole = planSampling(embeddingsOf([...past, ...later]), options);
        const prefix = planSampling(embeddingsOf(past), options);

        expect(Array.from(whole.groupOf.slice(0, past.length))).toEqual(Array.from(prefix.groupOf));
        rowsOf(prefix)
          .slice(0, -1)
          .forEach((row, b) => {
            expect(rowsOf(whole)[b]).toEqual([...row, ...later.map(() => 0)]);
          });
      }),
    );
  });

  it('wider bins never keep more steps where each width divides the next', () => {
    fc.assert(
      fc.property(anyClip, fc.double({ min: 0.01, max: 1, noNaN: true }), (clip, width) => {
        const kept = [1, 2, 4, 8].map(
          (n) => planSampling(embeddingsOf(clip), ordered(width * n)).outputLength,
        );

        expect(kept).toEqual([...kept].sort((a, b) => b - a));
      }),
    );
  });

  it('the same embeddings give the same bits', () => {
    fc.assert(
      fc.property(anyClip, anyOptions, (clip, options) => {
        const [a, b] = [0, 1].map(() => planSampling(embeddingsOf(clip), options));
        expect(a).toEqual(b);
      }),
    );
  });

  it('stays finite and exact at absurd widths', () => {
    const clip = embeddingsOf([[-3e38], [3e38], [0], [1e-38]]);
    for (const width of [5e-324, 1e-300, 1e-9, 1e300]) {
      const plan = planSampling(clip, ordered(width));
      expect(plan.outputLength).toBeGreaterThan(0);
      for (const row of rowsOf(plan)) expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    }
  });

  it('weights follow the stated gradient within a bin (finite differences)', () => {
    const arc = [0.1, 0.35, 0.6, 0.8];
    const row = (moved: readonly number[]): number[] =>
      rowsOf(planSampling(embeddingsOf([[0], ...moved.map((s) => [s])]), ordered(1)))[0]!;
    const weights = row(arc);
    const kernelSum = [0, ...arc].reduce((sum, s) => sum + 1 - Math.abs(s - 0.5), 0);
    const h = 1e-3;

    arc.forEach((s, j) => {
      // On a line that only rises, moving e_j moves s_j alone.
      const up = row(arc.map((value, i) => (i === j ? value + h : value)));
      const down = row(arc.map((value, i) => (i === j ? value - h : value)));
      weights.forEach((weight, i) => {
        const stated = ((-Math.sign(s - 0.5) / 1) * ((i === j + 1 ? 1 : 0) - weight)) / kernelSum;
        expect((up[i]! - down[i]!) / (2 * h)).toBeCloseTo(stated, 3);
      });
    });
  });
});

describe('ordered: none of the defects of the reference (ADR 0006)', () => {
  it('1: the most distinctive step keeps its own row', () => {
    const flash = embeddingsOf(Array.from({ length: 16 }, (_, t) => [t === 7 ? 5 : 0]));

    const plan = planSampling(flash, ordered(0.5));

    expect(rowsOf(plan)[plan.groupOf[7]!]![7]).toBe(1);
  });

  it('2: a static clip becomes exactly one row, its mean', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), anyWidth, (length, width) => {
        const plan = planSampling(staticClip(length, [0.2, -3]), ordered(width));

        expect(plan.outputLength).toBe(1);
        expect(Array.from(plan.weights)).toEqual(Array.from({ length }, () => Math.fround(1 / length)));
      }),
    );
  });

  it('3: time is not folded on a linear drift, and a reversed clip gives the mirrored plan', () => {
    const steps = Array.from({ length: 32 }, (_, t) => [t * 0.1]);

    const forward = planSampling(embeddingsOf(steps), ordered(0.25));
    const backward = planSampling(embeddingsOf([...steps].reverse()), ordered(0.25));

    const groups = Array.from(forward.groupOf);
    expect(groups).toEqual([...groups].sort((a, b) => a - b));
    expect(groups[15]).not.toBe(groups[19]);
    expect(Array.from(backward.groupOf)).toEqual(groups);
  });

  it('4: how many steps are kept follows the amount of change, not its ratio to the clip’s maximum', () => {
    const wave = (height: number): number[][] =>
      Array.from({ length: 32 }, (_, t) => [height * Math.sin(t / 3)]);

    const kept = [0.01, 0.1, 1].map(
      (height) => planSampling(embeddingsOf(wave(height)), ordered(0.1)).outputLength,
    );

    expect(kept[0]).toBe(1);
    expect(kept[1]).toBeGreaterThan(4);
    expect(kept[2]).toBeGreaterThan(2 * kept[1]!);
  });
});

describe('ordered: sensor noise', () => {
  const noisy = (length: number, sigma: number): number[][] => {
    const next = noise(7);
    return Array.from({ length }, () => Array.from({ length: 16 }, () => 0.25 + sigma * next()));
  };

  it('adds length at every step of a static scene, unless it is under the noise floor', () => {
    const clip = embeddingsOf(noisy(64, 0.005));

    expect(planSampling(clip, ordered(0.1)).outputLength).toBeGreaterThan(8);
    expect(planSampling(clip, ordered(0.1, { noiseFloor: 0.06 })).outputLength).toBe(1);
  });

  it('a drift slower than the noise floor still counts once it has gone that far', () => {
    const drift = embeddingsOf(Array.from({ length: 64 }, (_, t) => [t * 0.02]));

    const plan = planSampling(drift, ordered(0.2, { noiseFloor: 0.06 }));

    expect(plan.outputLength).toBeGreaterThanOrEqual(6);
  });
});
