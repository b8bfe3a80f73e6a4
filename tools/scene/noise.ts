import { createRandom, hash2 } from './prng.ts';

/** Adds sensor noise to a frame, the same for the same frame index. */
export type NoiseAdder = (clean: Uint8ClampedArray, frameIndex: number, noisy: Uint8ClampedArray) => void;

/** A table of normal numbers, entered at another place in each row of each frame. */
const TABLE_SIZE = 1 << 16;

/**
 * `deviation` in grey levels. Two thirds of the noise is common to the three
 * channels, as from a real sensor after demosaicing.
 */
export function createNoiseAdder(seed: number, deviation: number, width: number): NoiseAdder {
  const random = createRandom(seed);
  const table = new Float32Array(TABLE_SIZE + width * 4);
  for (let i = 0; i < table.length; i++) table[i] = random.gaussian() * deviation;

  return (clean, frameIndex, noisy) => {
    const rowBytes = width * 3;
    for (let row = 0; row * rowBytes < clean.length; row++) {
      const grey = Math.floor(hash2(frameIndex, row, seed) * TABLE_SIZE);
      const colour = Math.floor(hash2(frameIndex, row, seed + 1) * TABLE_SIZE);
      let i = row * rowBytes;
      for (let x = 0; x < width; x++) {
        const common = table[grey + x]! * 0.8;
        const at = colour + x * 3;
        noisy[i] = clean[i]! + common + table[at]! * 0.6;
        noisy[i + 1] = clean[i + 1]! + common + table[at + 1]! * 0.6;
        noisy[i + 2] = clean[i + 2]! + common + table[at + 2]! * 0.6;
        i += 3;
      }
    }
  };
}
