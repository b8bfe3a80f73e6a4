import { describe, expect, it } from 'vitest';
import { contains, touches, unite, type Polygon } from '../../src/core/region.ts';

const polygon = (...corners: readonly (readonly [number, number])[]): Polygon =>
  corners.map(([x, y]) => ({ x, y }));
/** A square with its upper right quarter cut out. */
const HOOK = polygon([0.2, 0.2], [0.5, 0.2], [0.5, 0.5], [0.8, 0.5], [0.8, 0.8], [0.2, 0.8]);
const box = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });

describe('a polygon', () => {
  it.each([
    [0.3, 0.3, true],
    [0.7, 0.7, true],
    [0.7, 0.3, false],
    [0.1, 0.5, false],
    [0.9, 0.9, false],
  ])('with a corner cut out: %f, %f is inside: %s', (x, y, expected) => {
    expect(contains(HOOK, { x, y })).toBe(expected);
  });

  it.each([
    ['a box within', box(0.3, 0.6, 0.1, 0.1), true],
    ['a box around', box(0, 0, 1, 1), true],
    ['a box across its left edge', box(0.1, 0.4, 0.2, 0.1), true],
    ['a bar through it, no corner of either inside the other', box(0, 0.6, 1, 0.05), true],
    ['a box in the part that is cut out', box(0.55, 0.25, 0.2, 0.2), false],
    ['a box beside it', box(0.85, 0.2, 0.1, 0.5), false],
  ])('is touched by %s: %s', (_, region, expected) => {
    expect(touches(region, HOOK)).toBe(expected);
  });
});

it('two boxes are within their union, and nothing changes none', () => {
  const union = unite(box(0.25, 0.5, 0.25, 0.25), box(0.375, 0.125, 0.5, 0.125));
  expect(union).toEqual(box(0.25, 0.125, 0.625, 0.625));
  expect(unite(undefined, union)).toBe(union);
  expect(unite(union, undefined)).toBe(union);
  expect(unite(undefined, undefined)).toBeUndefined();
});
