import { expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { EVERYWHERE } from '../../src/core/region.ts';
import { createRandomStream } from '../../src/inference/weights/random-stream.ts';
import { regionOfMotion } from '../../src/pipeline/motion-region.ts';
import { frameAt } from '../support/frames.ts';

const SIZE = 64;
type Scene = (x: number, y: number, n: number) => number;

function filmed(scene: Scene, noise = 0): readonly Frame[] {
  const random = createRandomStream(5, 'noise');
  return Array.from({ length: 16 }, (_, n) => {
    const data = new Uint8Array(SIZE * SIZE * 3);
    for (let at = 0; at < SIZE * SIZE; at += 1)
      data.fill(
        scene(at % SIZE, Math.floor(at / SIZE), n) + noise * (random.uniform() - 0.5),
        at * 3,
        at * 3 + 3,
      );
    return { ...frameAt(n), width: SIZE, height: SIZE, data };
  });
}

const WALL: Scene = (x, y) => 90 + ((x * 7 + y * 13) % 40);
/** Somebody of 8×16 pixels walks from 16 to 30 across, at 24 down. One step alone does not count. */
const walking: Scene = (x, y, n) => (x >= 16 + n && x < 24 + n && y >= 24 && y < 40 ? 220 : WALL(x, y, n));

it('a box is around what moves, to the cell, and around nothing else', () => {
  expect(regionOfMotion(filmed(walking, 20), EVERYWHERE)).toEqual({
    ...{ x: 16 / SIZE, y: 24 / SIZE, width: 20 / SIZE, height: 16 / SIZE },
  });
});

it('it is given in parts of the frame, of which the network sees some', () => {
  const view = { x: 0.25, y: 0.5, width: 0.5, height: 0.25 };
  expect(regionOfMotion(filmed(walking), view)).toEqual({
    ...{ x: 0.25 + 0.5 * 0.25, y: 0.5 + 0.25 * 0.375, width: 0.5 * 0.3125, height: 0.25 * 0.25 },
  });
});

it('noise and a lonely cell are no motion; a flash is one of the whole frame', () => {
  const flash: Scene = (x, y, n) => WALL(x, y, n) + (n === 8 ? 60 : 0);
  const blinking: Scene = (x, y, n) => (x < 4 && y < 4 && n % 4 < 2 ? 250 : WALL(x, y, n));
  expect(regionOfMotion(filmed(WALL, 30), EVERYWHERE)).toBeUndefined();
  expect(regionOfMotion(filmed(blinking), EVERYWHERE)).toBeUndefined();
  expect(regionOfMotion([], EVERYWHERE)).toBeUndefined();
  expect(regionOfMotion(filmed(flash), EVERYWHERE)).toEqual(EVERYWHERE);
});
