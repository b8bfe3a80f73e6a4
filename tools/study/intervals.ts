import { createRandomStream } from '../../src/inference/weights/random-stream.ts';
import {
  evenWeights,
  FIGURE_NAMES,
  figuresOf,
  type FigureName,
  type Figures,
  type Weights,
} from './figures.ts';
import type { Scored } from './scored.ts';

/** A figure over all seeds and test items, with a 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

export type Estimates = Readonly<Record<FigureName, Estimate>>;

const DRAWS = 1000;

/** One draw: which seeds, and how often each test item. */
interface Draw {
  readonly seeds: readonly number[];
  readonly weights: Weights;
}

export interface Bootstrap {
  /** Means over seeds. `scored` holds one entry a seed. */
  readonly estimate: (scored: readonly Scored[]) => Estimates;
  /** How much `scored` is above `base`, both drawn alike: far narrower than the two intervals. */
  readonly difference: (scored: readonly Scored[], base: readonly Scored[]) => Estimates;
}

/**
 * Percentile bootstrap over two levels: seeds are drawn again, and test items (clips; 15 s blocks of long videos) are drawn
 * again, the same ones for everything that is compared. With one seed only the items vary.
 */
export function createBootstrap(like: Scored, seeds: number): Bootstrap {
  const random = createRandomStream(1, 'bootstrap');
  const below = (count: number): number => Math.floor((random.word() / 2 ** 32) * count);
  const recount = (count: number): number[] => {
    const weights = new Array<number>(count).fill(0);
    for (let i = 0; i < count; i++) weights[below(count)]! += 1;
    return weights;
  };
  const { fight, interactions, blocks } = like.counts;
  const draws = Array.from({ length: DRAWS }, (): Draw => ({
    seeds: Array.from({ length: seeds }, () => below(seeds)),
    weights: { fight: recount(fight), interactions: recount(interactions), blocks: recount(blocks) },
  }));
  const all: Draw = { seeds: Array.from({ length: seeds }, (_, seed) => seed), weights: evenWeights(like) };
  const valueOf = (scored: readonly Scored[], draw: Draw): Figures => {
    const distinct = new Map(
      [...new Set(draw.seeds)].map((seed) => [seed, figuresOf(scored[seed]!, draw.weights)]),
    );
    return meanOf(draw.seeds.map((seed) => distinct.get(seed)!));
  };
  return {
    estimate: (scored) =>
      summarise(
        valueOf(scored, all),
        draws.map((draw) => valueOf(scored, draw)),
      ),
    difference: (scored, base) =>
      summarise(
        minus(valueOf(scored, all), valueOf(base, all)),
        draws.map((draw) => minus(valueOf(scored, draw), valueOf(base, draw))),
      ),
  };
}

function summarise(value: Figures, draws: readonly Figures[]): Estimates {
  return byName((name) => {
    const values = draws
      .map((draw) => draw[name])
      .filter((x) => Number.isFinite(x))
      .sort((a, b) => a - b);
    return { value: value[name], from: quantile(values, 0.025), to: quantile(values, 0.975) };
  });
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function meanOf(figures: readonly Figures[]): Figures {
  return byName((name) => figures.reduce((sum, one) => sum + one[name], 0) / figures.length);
}

function minus(a: Figures, b: Figures): Figures {
  return byName((name) => a[name] - b[name]);
}

function byName<T>(of: (name: FigureName) => T): Readonly<Record<FigureName, T>> {
  return Object.fromEntries(FIGURE_NAMES.map((name) => [name, of(name)])) as Record<FigureName, T>;
}
