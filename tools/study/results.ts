import { groupBy } from '../../src/core/group-by.ts';
import { samplerName, type Case } from './cases.ts';
import { createBootstrap, type Estimates } from './intervals.ts';
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
  /** Share of the base's multiply-adds, the two kinds of video weighing alike. */
  readonly costRatio: ShortAndLong & { readonly together: number };
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

/**
 * Joins the seeds of each case and compares it with the base, the first case whose series is named so.
 * Every series needs the same seeds; a bootstrap draw takes the same seeds and items everywhere.
 */
export function summariseResults(
  results: readonly CaseResult[],
  videos: readonly TestVideo[],
  baseSeries: string,
): readonly ResultRow[] {
  const groups = groupBy(results, keyOf);
  const joined = [...groups.values()].map((group) => ({
    first: group[0]!,
    time: group.find((result) => result.time)?.time,
    scored: group
      .toSorted((a, b) => a.case.seed - b.case.seed)
      .map(({ prediction }) => scorePrediction(prediction, videos)),
  }));
  const base = joined.find(({ first }) => first.case.series === baseSeries);
  if (!base) throw new RangeError(`no case of series "${baseSeries}"`);
  const bootstrap = createBootstrap(base.scored[0]!, base.scored.length);
  const baseCost = costOf(base.scored);
  return joined.map(({ first, scored, time }) => {
    const { series, training, sampler, order } = first.case;
    const cost = costOf(scored);
    const short = cost.short.multiplyAdds / baseCost.short.multiplyAdds;
    const long = cost.long.multiplyAdds / baseCost.long.multiplyAdds;
    return {
      series,
      training,
      sampler: samplerName(sampler),
      order,
      seeds: scored.length,
      figures: bootstrap.estimate(scored),
      aboveBase: bootstrap.difference(scored, base.scored),
      inputSteps: first.prediction.inputSteps,
      keptSteps: { short: cost.short.keptSteps, long: cost.long.keptSteps },
      multiplyAdds: { short: cost.short.multiplyAdds, long: cost.long.multiplyAdds },
      costRatio: { short, long, together: (short + long) / 2 },
      ...(time && { ms: { short: time.shortMs, long: time.longMs } }),
    };
  });
}

export function keyOf({ case: { series, sampler, order } }: Pick<CaseResult, 'case'>): string {
  return JSON.stringify([series, samplerName(sampler), order]);
}

/** Mean over seeds. */
function costOf(
  scored: readonly Scored[],
): Record<'short' | 'long', Pick<Cost, 'keptSteps' | 'multiplyAdds'>> {
  const mean = (of: (one: Scored) => number): number =>
    scored.reduce((sum, one) => sum + of(one), 0) / scored.length;
  return {
    short: {
      keptSteps: mean(({ cost }) => cost.short.keptSteps),
      multiplyAdds: mean(({ cost }) => cost.short.multiplyAdds),
    },
    long: {
      keptSteps: mean(({ cost }) => cost.long.keptSteps),
      multiplyAdds: mean(({ cost }) => cost.long.multiplyAdds),
    },
  };
}
