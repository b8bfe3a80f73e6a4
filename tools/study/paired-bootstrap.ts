import { percentileInterval } from '../../src/lab/evaluation/bootstrap.ts';

/** A figure over all seeds and test items, with a 95 % interval. */
export interface Estimate {
  readonly value: number;
  /** NaN where no draw had a value. */
  readonly from: number;
  readonly to: number;
}

/** By kind of item, how often each one counts. */
export type ItemWeights<Kind extends string> = Readonly<Record<Kind, readonly number[]>>;

/** Figures of one seed under such weights; NaN where a draw holds no example. */
export type FiguresOf<Kind extends string, Name extends string> = (
  seed: number,
  weights: ItemWeights<Kind>,
) => Readonly<Record<Name, number>>;

export interface PairedBootstrap<Kind extends string> {
  /** Means over seeds. */
  readonly estimate: <Name extends string>(
    figures: FiguresOf<Kind, Name>,
  ) => Readonly<Record<Name, Estimate>>;
  /** How much `figures` is above `base`, both drawn alike: far narrower than the two intervals. */
  readonly difference: <Name extends string>(
    figures: FiguresOf<Kind, Name>,
    base: FiguresOf<Kind, Name>,
  ) => Readonly<Record<Name, Estimate>>;
}

export interface PairedBootstrapOptions<Kind extends string> {
  /** Test items of each kind. */
  readonly counts: Readonly<Record<Kind, number>>;
  readonly seeds: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Default 1000. */
  readonly rounds?: number;
}

/** One draw: which seeds, and how often each test item. */
interface Draw<Kind extends string> {
  readonly seeds: readonly number[];
  readonly weights: ItemWeights<Kind>;
}

/**
 * Percentile bootstrap over two levels: seeds are drawn again, and test items are drawn
 * again, the same ones for everything that is compared. With one seed only the items vary.
 */
export function createPairedBootstrap<Kind extends string>({
  counts,
  seeds,
  random,
  rounds = 1000,
}: PairedBootstrapOptions<Kind>): PairedBootstrap<Kind> {
  const below = (count: number): number => Math.floor(random() * count);
  const recount = (count: number): number[] => {
    const weights = new Array<number>(count).fill(0);
    for (let i = 0; i < count; i += 1) {
      const drawn = below(count);
      weights[drawn] = (weights[drawn] ?? 0) + 1;
    }
    return weights;
  };
  const draws = Array.from({ length: rounds }, (): Draw<Kind> => ({
    seeds: Array.from({ length: seeds }, () => below(seeds)),
    weights: mapRecord(counts, recount),
  }));
  const all: Draw<Kind> = {
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
    weights: evenWeights(counts),
  };
  const summarise = <Name extends string>(
    valueOf: (draw: Draw<Kind>) => Readonly<Record<Name, number>>,
  ): Readonly<Record<Name, Estimate>> => {
    const drawn = draws.map(valueOf);
    return mapRecord(valueOf(all), (value, name) => {
      const [from, to] = percentileInterval(
        drawn.map((one) => one[name]).filter((x) => Number.isFinite(x)),
      ) ?? [Number.NaN, Number.NaN];
      return { value, from, to };
    });
  };
  return {
    estimate: (figures) => summarise((draw) => meanOf(figures, draw)),
    difference: (figures, base) =>
      summarise((draw) => {
        const subtracted = meanOf(base, draw);
        return mapRecord(meanOf(figures, draw), (value, name) => value - subtracted[name]);
      }),
  };
}

/** Every item once. */
export function evenWeights<Kind extends string>(counts: Readonly<Record<Kind, number>>): ItemWeights<Kind> {
  return mapRecord(counts, (count) => new Array<number>(count).fill(1));
}

/** Over the seeds of a draw; a seed that was drawn twice is computed once. */
function meanOf<Kind extends string, Name extends string>(
  figures: FiguresOf<Kind, Name>,
  { seeds, weights }: Draw<Kind>,
): Readonly<Record<Name, number>> {
  const distinct = new Map([...new Set(seeds)].map((seed) => [seed, figures(seed, weights)]));
  const drawn = seeds.flatMap((seed) => distinct.get(seed) ?? []);
  const first = drawn[0] ?? figures(0, weights);
  return mapRecord(first, (_, name) => drawn.reduce((sum, one) => sum + one[name], 0) / drawn.length);
}

function mapRecord<Key extends string, From, To>(
  record: Readonly<Record<Key, From>>,
  of: (value: From, key: Key) => To,
): Readonly<Record<Key, To>> {
  const entries = Object.entries(record) as [Key, From][];
  return Object.fromEntries(entries.map(([key, value]) => [key, of(value, key)])) as Record<Key, To>;
}
