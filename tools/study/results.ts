import { groupBy } from '../../src/core/group-by.ts';
import { samplerName, type Case } from './cases.ts';
import { bySeed, createBootstrap, type Estimates } from './intervals.ts';
import type { Prediction } from './predict.ts';
import { scorePrediction, type Cost, type Scored } from './scored.ts';
import type { CaseTime } from './times.ts';
import type { TestVideo } from './videos.ts';

/** One line of the results: one way of running, over all seeds. */
export interface ResultRow {
  readonly series: string;
  readonly training: string;
  readonly sampler: string;
  readonly order: Case['order'];
  readonly seeds: number;
  readonly figures: Estimates;
  /** Above the row that is compared with: paired, so much narrower than the figures' own intervals. */
  readonly aboveBase: Estimates;
  readonly inputSteps: number;
  readonly keptSteps: ShortAndLong;
  readonly multiplyAdds: ShortAndLong;
  readonly costRatio: CostRatio;
  readonly ms?: ShortAndLong;
}

interface ShortAndLong {
  readonly short: number;
  readonly long: number;
}

export interface CaseResult {
  readonly case: Case;
  readonly prediction: Prediction;
  readonly time?: CaseTime;
}

/** One way of running, its seeds together. */
export interface Joined {
  /** The case of one of the seeds. */
  readonly case: Case;
  readonly time?: CaseTime;
  readonly inputSteps: number;
  /** One a seed, by rising seed. */
  readonly scored: readonly Scored[];
  /** Means over seeds. */
  readonly cost: Readonly<Record<'short' | 'long', Pick<Cost, 'keptSteps' | 'multiplyAdds'>>>;
  /** Share of the base's multiply-adds, the two kinds of video weighing alike. */
  readonly costRatio: CostRatio;
}

export type CostRatio = ShortAndLong & { readonly together: number };

/**
 * All ways of running, each with its cost beside that of the first one whose
 * series is named `baseSeries`. Each needs the same seeds.
 */
export function joinSeeds(
  results: readonly CaseResult[],
  videos: readonly TestVideo[],
  baseSeries: string,
): { readonly joined: readonly Joined[]; readonly base: Joined } {
  const groups = [...groupBy(results, keyOf).values()].map((group) => {
    const time = group.find((result) => result.time)?.time;
    const scored = group
      .toSorted((a, b) => a.case.seed - b.case.seed)
      .map(({ prediction }) => scorePrediction(prediction, videos));
    const { case: one, prediction } = group[0]!;
    return {
      case: one,
      inputSteps: prediction.inputSteps,
      scored,
      cost: costOf(scored),
      ...(time && { time }),
    };
  });
  const ofBase = groups.find((group) => group.case.series === baseSeries);
  if (!ofBase) throw new RangeError(`no case of series "${baseSeries}"`);
  const joined = groups.map((group): Joined => {
    const ratio = (kind: 'short' | 'long'): number =>
      group.cost[kind].multiplyAdds / ofBase.cost[kind].multiplyAdds;
    const [short, long] = [ratio('short'), ratio('long')];
    return { ...group, costRatio: { short, long, together: (short + long) / 2 } };
  });
  return { joined, base: joined[groups.indexOf(ofBase)]! };
}

/** Compares each way of running with the base; a bootstrap draw takes the same seeds and items everywhere. */
export function summariseResults(joined: readonly Joined[], base: Joined): readonly ResultRow[] {
  const bootstrap = createBootstrap(base.scored[0]!, base.scored.length);
  return joined.map(({ case: { series, training, sampler, order }, scored, cost, time, ...rest }) => ({
    series,
    training,
    sampler: samplerName(sampler),
    order,
    seeds: scored.length,
    figures: bootstrap.estimate(bySeed(scored)),
    aboveBase: bootstrap.difference(bySeed(scored), bySeed(base.scored)),
    inputSteps: rest.inputSteps,
    keptSteps: { short: cost.short.keptSteps, long: cost.long.keptSteps },
    multiplyAdds: { short: cost.short.multiplyAdds, long: cost.long.multiplyAdds },
    costRatio: rest.costRatio,
    ...(time && { ms: { short: time.shortMs, long: time.longMs } }),
  }));
}

export function keyOf({ case: { series, sampler, order } }: Pick<CaseResult, 'case'>): string {
  return JSON.stringify([series, samplerName(sampler), order]);
}

function costOf(scored: readonly Scored[]): Joined['cost'] {
  const mean = (of: (one: Scored) => number): number =>
    scored.reduce((sum, one) => sum + of(one), 0) / scored.length;
  const costs = (kind: 'short' | 'long'): Joined['cost']['short'] => ({
    keptSteps: mean(({ cost }) => cost[kind].keptSteps),
    multiplyAdds: mean(({ cost }) => cost[kind].multiplyAdds),
  });
  return { short: costs('short'), long: costs('long') };
}
