import { describe, expect, test } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { MOST_NOISE } from '../../src/ingest/camera-noise.ts';
import { createRandomStream } from '../../src/inference/weights/random-stream.ts';
import { createStillFrames, LONGEST_STILL_MS } from '../../src/ingest/still-frames.ts';

const SIZE = 32;
const FPS = 10;
const BLOCK = 4;
/** Level of a pixel's colour at a frame. */
type Scene = (x: number, y: number, t: number, color?: number) => number;

/** A textured wall. */
const WALL: Scene = (x, y) => 90 + ((x * 7 + y * 13) % 40);

describe('frames that show nothing new', () => {
  test('a still frame with the noise of a camera stands for those after it', () => {
    const frames = filmed(noisy(WALL, 2), 100);

    expect(newFrames(frames)).toEqual([0]);
  });

  test('strong noise at night is learned, and then covered', () => {
    const frames = filmed(noisy(WALL, 6), 800);

    expect(newFrames(frames.slice(0, 50)).length).toBeGreaterThan(25);
    expect(newFrames(frames.slice(-200)).length).toBeLessThan(10);
  });

  test.each<readonly [string, Scene, number]>([
    ['a person of 2×3 pixels who walks a pixel a second', walker((t) => Math.floor(t / FPS)), 400],
    [
      'a person of 2×3 pixels who paces in one place for two minutes',
      walker((t) => [0, 1, 2, 3, 2, 1][t % 6]!),
      1200,
    ],
    ['a lamp that flickers', (x, y, t) => WALL(x, y, t) + (t % 2) * 5, 1000],
    ['light that fades by a level in five seconds', (x, y, t) => WALL(x, y, t) - t / 50, 3000],
    [
      'a walker in strong noise',
      noisy(
        walker((t) => Math.floor(t / FPS)),
        8,
      ),
      400,
    ],
  ])('%s is never shown with a block further off than the most that noise may be', (_, scene, count) => {
    expect(Math.max(...filmed(scene, count).map(largestError))).toBeLessThanOrEqual(MOST_NOISE);
  });

  test('a small person who walks slowly and far away is shown where he is', () => {
    const frames = filmed(
      walker((t) => Math.floor(t / FPS)),
      300,
    );

    // One new frame a pixel, at the latest when half of him has moved on.
    expect(newFrames(frames).length).toBeGreaterThanOrEqual(25);
  });

  test('somebody who paces in one place is not learned as noise', () => {
    const frames = filmed(
      walker((t) => [0, 1, 2, 3, 2, 1][t % 6]!),
      2000,
    );

    expect(newFrames(frames.slice(-600)).length).toBeGreaterThan(200);
  });

  test('changes too small to see add up against the reference until they show', () => {
    const frames = filmed((x, y, t) => WALL(x, y, t) + t / 100, 1000);

    expect(newFrames(frames).length).toBeGreaterThanOrEqual(2);
  });

  test('a reference ends with its segment and with its time', () => {
    const still = createStillFrames();
    const at = (ms: number, segment = 0): Frame => frameOf(WALL, 0, { ptsUs: ms * 1000, segment });

    expect(still.follow(at(0)).still).toBeUndefined();
    expect(still.follow(at(LONGEST_STILL_MS - 1)).still).toBeDefined();
    expect(still.follow(at(LONGEST_STILL_MS)).still).toBeUndefined();
    expect(still.follow(at(LONGEST_STILL_MS + 1, 1)).still).toBeUndefined();
  });

  test('frames of any size are compared to their last pixel', () => {
    for (const [width, height] of [
      [1, 1],
      [5, 3],
      [7, 9],
    ] as const) {
      const still = createStillFrames();
      const data = new Uint8Array(width * height * 3).fill(100);
      const changed = data.slice();
      changed.fill(255, data.length - 3);
      const frame = { ...frameOf(WALL, 0), width, height };

      still.follow({ ...frame, data });

      expect(still.follow({ ...frame, data: data.slice() }).still).toBe(data);
      expect(still.follow({ ...frame, data: changed }).still).toBeUndefined();
    }
  });

  test('the same frames give the same result', () => {
    const film = (): readonly Frame[] =>
      filmed(
        noisy(
          walker((t) => Math.floor(t / FPS)),
          5,
        ),
        200,
      );

    expect(newFrames(film())).toEqual(newFrames(film()));
  });
});

/** Two pixels wide, three high, 40 levels darker than the wall. */
function walker(placeAt: (t: number) => number): Scene {
  return (x, y, t) => {
    const left = 4 + (placeAt(t) % 24);
    const isPerson = x >= left && x < left + 2 && y >= 10 && y < 13;
    return WALL(x, y, t, 0) - (isPerson ? 40 : 0);
  };
}

/** @param deviation of each pixel and colour by itself, in levels */
function noisy(scene: Scene, deviation: number): Scene {
  const random = createRandomStream(7, 'noise');
  return (...at) => scene(...at) + deviation * random.normal();
}

function filmed(scene: Scene, count: number): readonly Frame[] {
  const still = createStillFrames();
  return Array.from({ length: count }, (_, t) => still.follow(frameOf(scene, t)));
}

function newFrames(frames: readonly Frame[]): readonly number[] {
  return frames.flatMap(({ still }, t) => (still ? [] : [t]));
}

/** By how many levels the mean of a block is shown wrong, at most. */
function largestError({ data, still = data }: Frame): number {
  let largest = 0;
  for (let top = 0; top < SIZE; top += BLOCK)
    for (let left = 0; left < SIZE; left += BLOCK) {
      let sum = 0;
      for (let y = top; y < top + BLOCK; y += 1) {
        const from = (y * SIZE + left) * 3;
        for (let i = from; i < from + BLOCK * 3; i += 1) sum += data[i]! - still[i]!;
      }
      largest = Math.max(largest, Math.abs(sum) / (BLOCK * BLOCK * 3));
    }
  return largest;
}

function frameOf(
  scene: Scene,
  t: number,
  { ptsUs = (t * 1e6) / FPS, segment = 0 }: { ptsUs?: number; segment?: number } = {},
): Frame {
  const data = new Uint8ClampedArray(SIZE * SIZE * 3);
  for (let at = 0; at < data.length; at += 1) {
    const pixel = Math.floor(at / 3);
    data[at] = scene(pixel % SIZE, Math.floor(pixel / SIZE), t, at % 3);
  }
  return {
    ...{ streamId: 'camera', index: t, segment, ptsUs, capturedAtMs: t, ingestedAtMs: t },
    ...{ width: SIZE, height: SIZE, data: new Uint8Array(data.buffer) },
  };
}
