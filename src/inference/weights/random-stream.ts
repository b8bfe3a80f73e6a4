/**
 * A counter-based random stream, small enough to be repeated exactly in any language (tools/goldens
 * does in Python): word i = mix(start + (i+1)·0x9e3779b9 mod 2³²), start = mix(fnv1a(name) xor
 * mix(seed)). Only 32-bit integer arithmetic, so that a seed gives the same bits on every platform.
 * Not for cryptography.
 */
export interface RandomStream {
  /** Uniform integer in [0, 2³²). */
  word(): number;
  /** Uniform in [0, 1) in steps of 2⁻³². */
  uniform(): number;
  /** Near normal, mean 0, variance 1: the scaled sum of four 16-bit uniforms; never beyond ±3.47. */
  normal(): number;
}

export function createRandomStream(seed: number, name: string): RandomStream {
  let state = mix(fnv1a(name) ^ mix(seed));
  const word = (): number => {
    state = (state + 0x9e3779b9) | 0;
    return mix(state);
  };
  return {
    word,
    uniform: () => word() / 2 ** 32,
    normal: () => {
      const a = word();
      const b = word();
      const sum = (a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16);
      return (sum - SUM_MEAN) / SUM_DEVIATION;
    },
  };
}

const SUM_MEAN = 2 * 0xffff;
const SUM_DEVIATION = Math.sqrt((2 ** 32 - 1) / 3);

/** A 32-bit integer hash without visible bias (two multiplications, three shifts). */
function mix(x: number): number {
  let z = x | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

/** FNV-1a, 32 bit, over UTF-16 units: names here are ASCII. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
