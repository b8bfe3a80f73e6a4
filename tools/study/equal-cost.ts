import { samplerName } from './cases.ts';
import type { FigureName } from './figures.ts';
import { bySeed, createBootstrap, type StudyFigures } from './intervals.ts';
import type { Estimate } from './paired-bootstrap.ts';
import type { CostRatio, Joined } from './results.ts';

/** Figures, and the cost that each is set against. */
export const COMPARED = [
  ['short', 'short'],
  ['indoorAuc', 'long'],
  ['together', 'together'],
] as const satisfies readonly (readonly [FigureName, keyof CostRatio])[];

type Compared = (typeof COMPARED)[number][0];

/** How far one way of running lies above the curve of a rival series at its own cost. */
export interface AtEqualCost {
  readonly sampler: string;
  readonly rival: string;
  readonly costRatio: CostRatio;
  readonly above: Readonly<Record<Compared, Estimate>>;
}

/**
 * Each point of a series beside the curve of every rival, a straight line from one of its points
 * to the next and at last to `base` (dense, cost 1). Where a point costs less than all of the
 * rival, the rival's cheapest point counts: that favours the rival. Both sides are drawn alike.
 */
export function compareAtEqualCost(
  joined: readonly Joined[],
  base: Joined,
  { series, rivals }: { readonly series: string; readonly rivals: readonly string[] },
): readonly AtEqualCost[] {
  const bootstrap = createBootstrap(base.scored[0]!, base.scored.length);
  const pointsOf = (name: string): readonly Joined[] =>
    joined.filter((one) => one.case.series === name && one.case.order === 'normal');
  return pointsOf(series).flatMap((one) =>
    rivals
      .filter((rival) => pointsOf(rival).length > 0)
      .map((rival): AtEqualCost => {
        const curve = curveAt(one.costRatio, [...pointsOf(rival), base]);
        const { short, indoorAuc, together } = bootstrap.difference(bySeed(one.scored), curve);
        return {
          sampler: samplerName(one.case.sampler),
          rival,
          costRatio: one.costRatio,
          above: { short, indoorAuc, together },
        };
      }),
  );
}

function curveAt(cost: CostRatio, points: readonly Joined[]): StudyFigures {
  const ends = COMPARED.map(([name, kind]) => {
    const byCost = points.toSorted((a, b) => a.costRatio[kind] - b.costRatio[kind]);
    const above = byCost.find((point) => point.costRatio[kind] >= cost[kind]) ?? byCost.at(-1)!;
    const below = byCost[Math.max(0, byCost.indexOf(above) - 1)]!;
    const width = above.costRatio[kind] - below.costRatio[kind];
    const share = width > 0 ? (cost[kind] - below.costRatio[kind]) / width : 1;
    return { name, below: bySeed(below.scored), above: bySeed(above.scored), share };
  });
  return (seed, weights) => {
    const figures = { ...ends[0]!.below(seed, weights) };
    for (const { name, below, above, share } of ends) {
      figures[name] = (1 - share) * below(seed, weights)[name] + share * above(seed, weights)[name];
    }
    return figures;
  };
}
