import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginBin, continueBin, planSampling, type OrderedOptions } from '../../src/sampler/index.ts';
import { anyClip, embeddingsOf } from './embeddings.ts';

const options = (more: Partial<OrderedOptions> = {}): OrderedOptions => ({
  ...{ kind: 'ordered', width: 1, distance: 'l2' },
  ...more,
});
const anyOptions = fc.record({
  kind: fc.constant('ordered' as const),
  width: fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 8, noNaN: true })),
  distance: fc.constantFrom('l2' as const, 'l1' as const),
  noiseFloor: fc.constantFrom(0, 0.5),
});

describe('a bin that runs on along the stream', () => {
  it('ends where the way since its first step reaches δ, by hand', () => {
    const still = beginBin(embeddingsOf([[0], [0.25], [0.25]]), options());
    const longer = continueBin(still, embeddingsOf([[0], [0.25]]), options());
    const left = continueBin(longer, embeddingsOf([[0.5], [0.5]]), options());

    // s = 0, 0.25, 0.25 | 0.5, 0.75 | 1, 1
    expect([still.inBin, longer.inBin, left.inBin]).toEqual([3, 5, 5]);
    expect([still.steps, longer.steps, left.steps]).toEqual([3, 5, 7]);
  });

  it('measures from the last step that moved more than the noise floor, also across clips', () => {
    const noisy = options({ noiseFloor: 0.4 });
    const trembling = beginBin(embeddingsOf([[0], [0.3], [0]]), noisy);
    const drifted = continueBin(trembling, embeddingsOf([[0.3], [0.6], [0.9], [1.2]]), noisy);

    // From 0: 0.3 is noise, 0.6 counts; from 0.6: 0.3 is noise, 0.6 counts: s = 1.2.
    expect(trembling.walk.length).toBe(0);
    expect(drifted.walk.length).toBeCloseTo(1.2, 6);
    expect(drifted.inBin).toBe(6);
  });

  it('has the steps that one plan over all of them puts into its first row, however they come in parts', () => {
    fc.assert(
      fc.property(anyClip, anyOptions, fc.array(fc.integer({ min: 0, max: 24 })), (steps, chosen, cuts) => {
        const ends = [...new Set(cuts.filter((cut) => cut > 0 && cut < steps.length)), steps.length];
        ends.sort((a, b) => a - b);
        const parts = ends.map((end, n) => embeddingsOf(steps.slice(ends[n - 1] ?? 0, end)));

        const [first, ...next] = parts;
        const run = next.reduce((so, part) => continueBin(so, part, chosen), beginBin(first!, chosen));

        const { groupOf } = planSampling(embeddingsOf(steps), chosen);
        expect(run.inBin).toBe(groupOf.filter((group) => group === 0).length);
        expect(run.steps).toBe(steps.length);
      }),
    );
  });

  it('never changes what it said of a step when later ones arrive', () => {
    fc.assert(
      fc.property(anyClip, anyClip, anyOptions, (steps, later, chosen) => {
        const size = steps[0]!.length;
        const more = later.map((step) => Array.from({ length: size }, (_, i) => step[i] ?? 0));
        const before = beginBin(embeddingsOf(steps), chosen);

        const after = continueBin(before, embeddingsOf(more), chosen);

        expect(Math.min(after.inBin, steps.length)).toBe(before.inBin);
        if (before.inBin < before.steps) expect(after.inBin).toBe(before.inBin);
      }),
    );
  });
});
