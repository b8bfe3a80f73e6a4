import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planSampling } from '../../src/sampler/index.ts';
import type { Embeddings, OrderedOptions } from '../../src/sampler/types.ts';
import { anyClip, embeddingsOf, noise, rowsOf, staticClip } from './embeddings.ts';

const ordered = (more: Partial<OrderedOptions> = {}): OrderedOptions => ({
  ...{ kind: 'ordered', width: 1, distance: 'l2' },
  ...more,
});

describe('representative middle', () => {
  it('is the middle step of each group alone, the earlier of two', () => {
    const plan = planSampling(
      embeddingsOf([[0], [0.1], [0.2], [1.5], [1.6], [9]]),
      ordered({ representative: 'middle' }),
    );

    expect(rowsOf(plan)).toEqual([
      [0, 1, 0, 0, 0, 0],
      [0, 0, 0, 1, 0, 0],
      [0, 0, 0, 0, 0, 1],
    ]);
    expect(Array.from(plan.groupOf)).toEqual([0, 0, 0, 1, 1, 2]);
    expect(Array.from(plan.counts)).toEqual([3, 2, 1]);
  });

  it('groups as the mean does', () => {
    fc.assert(
      fc.property(anyClip, (clip) => {
        const embeddings = embeddingsOf(clip);
        const mean = planSampling(embeddings, ordered());
        const middle = planSampling(embeddings, ordered({ representative: 'middle' }));

        expect(middle.groupOf).toEqual(mean.groupOf);
        expect(middle.counts).toEqual(mean.counts);
      }),
    );
  });
});

describe('how many steps a row stands for', () => {
  it('adds up to the steps of the clip under none, uniform and ordered', () => {
    fc.assert(
      fc.property(anyClip, fc.integer({ min: 1, max: 5 }), (clip, stride) => {
        for (const options of [
          { kind: 'none' },
          { kind: 'uniform', stride },
          ordered({ minSteps: stride }),
        ] as const) {
          const { counts, outputLength } = planSampling(embeddingsOf(clip), options);

          expect(counts).toHaveLength(outputLength);
          expect(counts.reduce((a, b) => a + b, 0)).toBe(clip.length);
        }
      }),
    );
  });

  it('of uniform is the stride, and what is left for the last', () => {
    const { counts } = planSampling(staticClip(8, [1]), { kind: 'uniform', stride: 3 });

    expect(Array.from(counts)).toEqual([3, 3, 2]);
  });

  it('of the official arithmetic is at least one', () => {
    const { counts } = planSampling(noisy(12, 4, 1), {
      kind: 'reference',
      kernel: 'linear',
      distance: 'l2',
    });

    expect(Math.min(...counts)).toBeGreaterThanOrEqual(1);
  });
});

describe('a floor of kept steps', () => {
  it('cuts the group that goes the longest way where it is nearest to half of it', () => {
    const way = embeddingsOf([[0], [0.1], [0.2], [0.5], [0.6], [0.7]]);

    const two = planSampling(way, ordered({ width: 100, minSteps: 2 }));
    const three = planSampling(way, ordered({ width: 100, minSteps: 3 }));

    expect(Array.from(two.groupOf)).toEqual([0, 0, 0, 1, 1, 1]);
    expect(Array.from(three.groupOf)).toEqual([0, 0, 1, 2, 2, 2]);
  });

  it('is kept by every clip in which something moves, and by no other', () => {
    fc.assert(
      fc.property(anyClip, fc.integer({ min: 1, max: 9 }), (clip, minSteps) => {
        const embeddings = embeddingsOf(clip);
        const free = planSampling(embeddings, ordered({ width: 3 }));
        const floored = planSampling(embeddings, ordered({ width: 3, minSteps }));
        const moves = clip.some((step) =>
          step.some((value, i) => Math.fround(value) !== Math.fround(clip[0]![i]!)),
        );

        const least = moves ? Math.min(minSteps, clip.length) : 1;
        expect(floored.outputLength).toBe(Math.max(free.outputLength, least));
        const groups = Array.from(floored.groupOf);
        groups.slice(1).forEach((group, i) => {
          expect([0, 1]).toContain(group - groups[i]!);
        });
      }),
    );
  });

  it('is not kept by what the noise floor calls still', () => {
    const trembling = embeddingsOf([[0], [0.1], [0], [0.1]]);

    expect(planSampling(trembling, ordered({ minSteps: 3, noiseFloor: 0.2 })).outputLength).toBe(1);
    expect(planSampling(trembling, ordered({ minSteps: 3 })).outputLength).toBe(3);
  });
});

describe('similarity by cells', () => {
  /** Four cells of two values; only one moves, a little. */
  const corner = cells(
    [
      [1, 0, 0, 2, 3, 3, 0, 1],
      [1, 0, 0, 2, 3, 3, 0.5, 1],
      [1, 0, 0, 2, 3, 3, 1, 1],
    ],
    1,
  );

  it('sees what one cell does, which the mean over the frame dilutes', () => {
    const whole = planSampling({ ...corner, cells: { count: 4, top: 4 } }, ordered({ width: 0.1 }));
    const largest = planSampling(corner, ordered({ width: 0.1 }));

    expect(whole.outputLength).toBe(2);
    expect(largest.outputLength).toBe(3);
  });

  it('does not change with contrast, nor where channels and cells stand twice', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (seed, gain) => {
          const { data, length } = noisy(10, 8, seed);
          const options = ordered({ width: 0.9 });
          const cellsOf = (values: Float32Array, count: number): Embeddings => ({
            length,
            size: values.length / length,
            data: values,
            cells: { count, top: 1 },
          });
          const doubled = Float32Array.from({ length: 2 * data.length }, (_, i) => {
            const step = Math.floor(i / 16);
            return data[step * 8 + (i % 8)]!;
          });

          const plain = planSampling(cellsOf(data, 4), options);
          const brighter = planSampling(
            cellsOf(
              data.map((value) => gain * value),
              4,
            ),
            options,
          );
          const larger = planSampling(cellsOf(doubled, 8), options);

          expect(brighter.groupOf).toEqual(plain.groupOf);
          expect(larger.groupOf).toEqual(plain.groupOf);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('of a frame without contrast compares with how bright it is; nothing at all does not move', () => {
    const blank = cells(
      [
        [1, 1, 1, 1],
        [1, 1.01, 1, 1],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
      ].slice(0, 2),
      1,
    );
    const black = cells(
      [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
      ],
      1,
    );

    expect(
      planSampling({ ...blank, cells: { count: 4, top: 1 } }, ordered({ width: 0.1 })).outputLength,
    ).toBe(1);
    expect(planSampling(black, ordered({ width: 0 })).outputLength).toBe(1);
  });

  it('refuses cells that do not divide the embedding, and more moved cells than there are', () => {
    for (const wrong of [
      { count: 3, top: 1 },
      { count: 4, top: 5 },
      { count: 4, top: 0 },
    ])
      expect(() => planSampling({ ...corner, cells: wrong }, ordered())).toThrow(/no .* cells/);
  });
});

function cells(steps: readonly (readonly number[])[], top: number): Embeddings {
  return { ...embeddingsOf(steps), cells: { count: 4, top } };
}

function noisy(length: number, size: number, seed: number): Embeddings {
  const next = noise(seed);
  return { length, size, data: Float32Array.from({ length: length * size }, next) };
}
