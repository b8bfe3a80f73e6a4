/** A stream of numbers that depends on its seed alone, so a scene can be made again from one integer. */
export interface Random {
  /** Uniform in [low, high). */
  range(low: number, high: number): number;
  /** Whole number in [0, count). */
  index(count: number): number;
  pick<T>(items: readonly T[]): T;
  chance(probability: number): boolean;
  /** Normal with mean 0 and deviation 1 (Box-Muller). */
  gaussian(): number;
}

/** Random numbers by mulberry32, a 32-bit generator whose whole state is the seed. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const index = (count: number): number => Math.floor(next() * count);

  return {
    range: (low, high) => low + (high - low) * next(),
    index,
    pick: (items) => items[index(items.length)]!,
    chance: (probability) => next() < probability,
    gaussian: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}

/** One uniform number in [0, 1) for a pair of integers: noise that can be read at any point, in any order. */
export function hash2(x: number, y: number, seed: number): number {
  let mixed = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 4294967296;
}
