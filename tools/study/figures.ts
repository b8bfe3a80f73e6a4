import { sortedAuc } from '../../src/lab/evaluation/auc.ts';
import type { ItemWeights } from './paired-bootstrap.ts';
import type { Question, Scored } from './scored.ts';

/** How often each item counts. */
type Weights = ItemWeights<keyof Scored['counts']>;

/** All between 0 and 1; NaN where a draw holds no example. */
export interface Figures {
  readonly fightAuc: number;
  readonly fightAccuracy: number;
  readonly interactions: number;
  /** Mean of the areas under the curve of five indoor actions over windows of the long videos. */
  readonly indoorAuc: number;
  /** Mean of fightAuc and interactions. */
  readonly short: number;
  /** Mean of short and indoorAuc: long videos and short clips together. */
  readonly together: number;
}

export type FigureName = keyof Figures;

export function figuresOf(scored: Scored, weights: Weights): Figures {
  const fightAuc = weightedAuc(scored.fight, weights.fight);
  const interactions = weightedShare(scored.interactions, weights.interactions);
  const areas = scored.indoor
    .map((question) => weightedAuc(question, weights.blocks))
    .filter((area) => Number.isFinite(area));
  const indoorAuc = areas.reduce((sum, area) => sum + area, 0) / areas.length;
  const short = (fightAuc + interactions) / 2;
  return {
    fightAuc,
    fightAccuracy: weightedAccuracy(scored.fight, weights.fight),
    interactions,
    indoorAuc,
    short,
    together: (short + indoorAuc) / 2,
  };
}

function weightedAuc({ answers }: Question, weights: readonly number[]): number {
  return sortedAuc(answers, ({ item }) => weights[item]!) ?? Number.NaN;
}

function weightedAccuracy({ answers }: Question, weights: readonly number[]): number {
  let right = 0;
  let all = 0;
  for (const { item, score, positive } of answers) {
    all += weights[item]!;
    if (score > 0.5 === positive) right += weights[item]!;
  }
  return right / all;
}

function weightedShare(right: readonly boolean[], weights: readonly number[]): number {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return right.reduce((sum, isRight, item) => sum + (isRight ? weights[item]! : 0), 0) / all;
}
