import { describe, expect, it } from 'vitest';
import type { Polygon, Zone } from '../../src/core/region.ts';
import { EVERYWHERE } from '../../src/core/region.ts';
import { createBlanks, type BlankAreas } from '../../src/ingest/blank-areas.ts';
import { viewOf } from '../../src/ingest/frame-view.ts';

const SIZE = { width: 8, height: 4 };

const box = (left: number, top: number, right: number, bottom: number): Polygon => [
  ...[
    { x: left, y: top },
    { x: right, y: top },
  ],
  ...[
    { x: right, y: bottom },
    { x: left, y: bottom },
  ],
];
const zone = (kind: Zone['kind'], points: Polygon): Zone => ({ name: 'a', kind, points });

/** `#` where a frame is blank. */
function blanked(areas: BlankAreas, view = EVERYWHERE): readonly string[] {
  const data = new Uint8Array(SIZE.width * SIZE.height * 3).fill(7);
  createBlanks(areas, SIZE, view)(data);
  return Array.from({ length: SIZE.height }, (_, row) =>
    Array.from({ length: SIZE.width }, (__, column) => {
      const at = (row * SIZE.width + column) * 3;
      const pixel = [...data.subarray(at, at + 3)];
      if (pixel.every((level) => level === 7)) return '.';
      return pixel.every((level) => level === 128) ? '#' : '?';
    }).join(''),
  );
}

describe('what a frame does not show', () => {
  it('is nothing without areas', () => {
    expect(blanked({})).toEqual(Array(4).fill('........'));
  });

  it('is every pixel that a mask reaches into', () => {
    expect(blanked({ masks: [box(0.25, 0.5, 0.55, 1)] })).toEqual([
      ...['........', '........'],
      ...['..###...', '..###...'],
    ]);
  });

  it('is what lies in no included zone, and what lies in an excluded one', () => {
    const zones = [zone('include', box(0, 0, 0.5, 0.5)), zone('include', box(0.75, 0.5, 1, 1))];
    expect(blanked({ zones })).toEqual(['....####', '....####', '######..', '######..']);
    const all = [...zones, zone('exclude', box(0.01, 0.01, 0.2, 0.2))];
    expect(blanked({ zones: all })).toEqual(['##..####', '....####', '######..', '######..']);
  });

  it('is a triangle by its pixels', () => {
    const triangle = [
      { x: 0, y: 0 },
      { x: 1, y: 1 },
      { x: 0, y: 1 },
    ];
    expect(blanked({ zones: [zone('include', triangle)] })).toEqual([
      ...['.#######', '...#####', '.....###', '.......#'],
    ]);
  });

  it('stands in the whole frame, of which the network may see the middle', () => {
    const masks = [box(0, 0, 0.5, 1)];
    const view = { x: 0.25, y: 0, width: 0.5, height: 1 };
    expect(blanked({ masks }, view)).toEqual(Array(4).fill('####....'));
    expect(blanked({ masks: [box(0, 0, 0.2, 1)] }, view)).toEqual(Array(4).fill('........'));
  });
});

describe('the part of a frame that the network sees', () => {
  const square = { width: 112, height: 112 };

  it.each([
    ['stretched: all of it', { ...square, fit: 'stretch' as const }, 16 / 9, EVERYWHERE],
    [
      'the middle of a wide one',
      { ...square, fit: 'crop' as const },
      2,
      { x: 0.25, y: 0, width: 0.5, height: 1 },
    ],
    [
      'the middle of a high one, enlarged',
      { ...square, fit: 'crop' as const, scale: 2 },
      0.5,
      { x: 0.25, y: 0.375, width: 0.5, height: 0.25 },
    ],
    [
      'stretched and enlarged',
      { ...square, fit: 'stretch' as const, scale: 2 },
      2,
      { x: 0.25, y: 0.25, width: 0.5, height: 0.5 },
    ],
  ])('%s', (_, options, shape, expected) => {
    expect(viewOf(options, shape)).toEqual(expected);
  });
});
