import { expect, test } from 'vitest';
import { numberFrames } from '../../../src/inference/stream/frame-contents.ts';

/** Pictures of four bytes. */
const show = (...values: readonly number[]): Uint8Array =>
  Uint8Array.from(values.flatMap((value) => [value, value, value, value]));
const seen = (from: number, pixels: Uint8Array, sameSegment = true) => ({
  ...{ from, pixels, frames: pixels.length / 4, sameSegment },
});

test('a picture that is the one before has its number, any other a new one', () => {
  const { numbers } = numberFrames(undefined, seen(0, show(7, 7, 9, 7)));

  expect(numbers).toEqual([0, 0, 1, 2]);
});

test('frames that were known keep their numbers, and are not looked at again', () => {
  const first = numberFrames(undefined, seen(0, show(1, 2, 3)));

  const next = numberFrames(first, seen(1, show(99, 99, 3, 4)));

  expect(next.numbers).toEqual([1, 2, 2, 3]);
});

test.each([
  ['after a gap', 10, true],
  ['in another segment', 0, false],
  ['before what is known', 1, true],
])('%s no number of before is used for another picture', (_, from, sameSegment) => {
  const first = numberFrames(undefined, seen(2, show(1, 2, 3)));

  const next = numberFrames(first, seen(from, show(4, 5, 6), sameSegment));

  expect(next.numbers).toEqual([3, 4, 5]);
});

test('a difference up to the threshold is none, but a slow drift adds up', () => {
  const { numbers } = numberFrames(undefined, seen(0, show(10, 11, 12, 13, 14)), 2);

  expect(numbers).toEqual([0, 0, 0, 1, 1]);
});

test('the pixels may change afterwards', () => {
  const pixels = show(5);
  const first = numberFrames(undefined, seen(0, pixels));
  pixels.fill(0);

  expect(numberFrames(first, seen(1, show(5, 0))).numbers).toEqual([0, 1]);
});
