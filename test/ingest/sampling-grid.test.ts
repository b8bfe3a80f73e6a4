import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createSamplingGrid } from '../../src/ingest/sampling-grid.ts';

function placeAll(fps: number, ptsUs: readonly (number | undefined)[]): string[] {
  const grid = createSamplingGrid(fps);
  return ptsUs.map((at) => {
    const placement = grid.place(at);
    if (placement.kind === 'late') return 'late';
    return placement.kind === 'next'
      ? `${placement.slot}+${placement.holds}`
      : `${placement.slot} ${placement.why}`;
  });
}

describe('sampling grid', () => {
  it('fills each slot with the first raw frame of its time, and forgives a little jitter', () => {
    expect(placeAll(10, [0, 120_000, 199_000, 210_000, 295_000])).toEqual([
      '0 start',
      '1+0',
      '2+0',
      'late',
      '3+0',
    ]);
  });

  it('lets raw frames stand still over a short hole, and breaks at a long one', () => {
    expect(placeAll(10, [0, 300_000, 5_300_000, 10_400_000])).toEqual([
      '0 start',
      '3+2',
      '53+49',
      '104 hole',
    ]);
  });

  it('takes the distance that frames usually have for the pace of the source, and a far longer one for a hole', () => {
    const lapse = Array.from({ length: 8 }, (_, n) => 12_000_000 * n);

    expect(placeAll(1, [...lapse, 140_000_000])).toEqual([
      '0 start',
      ...['12 hole', '24 hole', '36 hole'],
      ...['48+11', '60+11', '72+11', '84+11'],
      '140 hole',
    ]);
  });

  it('does not take a slow grid for holes', () => {
    expect(placeAll(0.25, [0, 4_000_000, 8_000_000, 16_000_000])).toEqual([
      '0 start',
      '1+0',
      '2+0',
      '4 hole',
    ]);
  });

  it('gives up raw frames that come out of order, and breaks where the clock steps back', () => {
    expect(placeAll(10, [1_000_000, 900_000, 1_100_000, 0, 100_000])).toEqual([
      '10 start',
      'late',
      '11+0',
      '0 step_back',
      '1+0',
    ]);
  });

  it('lets a raw frame without time follow the last one', () => {
    expect(placeAll(10, [undefined, undefined, 200_000])).toEqual(['0 start', '1+0', '2+0']);
  });

  it('never goes back within a segment, whatever the times', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -5_000_000, max: 5_000_000 })),
        fc.double({ min: 0.1, max: 60, noNaN: true }),
        (times, fps) => {
          const grid = createSamplingGrid(fps);
          let last = -Infinity;
          for (const time of times) {
            const placement = grid.place(time);
            if (placement.kind === 'late') continue;
            if (placement.kind === 'next') expect(placement.slot - placement.holds).toBeGreaterThan(last);
            last = placement.slot;
          }
        },
      ),
    );
  });
});
