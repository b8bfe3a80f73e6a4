import { groupBy } from '../../core/group-by.ts';
import type { Interval } from '../../core/wilson.ts';

export interface BootstrapOptions {
  /** The same seed gives the same interval. */
  readonly seed: number;
  /** Default 1000. */
  readonly rounds?: number;
}

/**
 * The percentile 95 % interval of a statistic, by drawing whole groups with
 * replacement: clips of one camera fail together. A draw for which the statistic is
 * undefined does not count; undefined where no draw counts or there is but one group.
 */
export function bootstrapInterval<T extends { readonly group: string }>(
  examples: readonly T[],
  statistic: (sample: readonly T[]) => number | undefined,
  { seed, rounds = 1000 }: BootstrapOptions,
): Interval | undefined {
  const groups = [...groupBy(examples, ({ group }) => group).values()];
  if (groups.length < 2) return undefined;
  const random = uniform(seed);
  const values: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const value = statistic(groups.flatMap(() => groups[Math.floor(random() * groups.length)] ?? []));
    if (value !== undefined) values.push(value);
  }
  return percentileInterval(values);
}

/** The middle 95 % of what the draws gave; undefined where there was none. */
export function percentileInterval(values: readonly number[]): Interval | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number | undefined => sorted[Math.round(share * (sorted.length - 1))];
  const [low, high] = [at(0.025), at(0.975)];
  return low === undefined || high === undefined ? undefined : [low, high];
}

/** Uniform in [0, 1): a counter through a 32-bit integer hash; the same on every platform. */
function uniform(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}
