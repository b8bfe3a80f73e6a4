import { createRandomStream } from '../../../src/inference/weights/random-stream.ts';

/** A pattern that drifts, with noise: pictures of `size` bytes one after the other. */
export function movingPictures(frames: number, size: number, seed: number): Uint8Array {
  const random = createRandomStream(seed, 'pixels');
  const pattern = Uint8Array.from({ length: size }, () => 128 + 50 * random.normal());
  return Uint8Array.from({ length: frames * size }, (_, i) => {
    const frame = Math.floor(i / size);
    return pattern[(i + 3 * frame * frame) % size]! + (random.word() & 7);
  });
}
