import type { Question, Scored } from './scored.ts';

/** How often each item counts: all once, or as a bootstrap draw has it. */
export interface Weights {
  readonly fight: readonly number[];
  readonly interactions: readonly number[];
  readonly blocks: readonly number[];
}

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

export const FIGURE_NAMES: readonly FigureName[] = [
  'fightAuc',
  'fightAccuracy',
  'interactions',
  'indoorAuc',
  'short',
  'together',
];

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

/** Every item once. */
export function evenWeights({ counts }: Scored): Weights {
  const ones = (length: number): number[] => new Array<number>(length).fill(1);
  return { fight: ones(counts.fight), interactions: ones(counts.interactions), blocks: ones(counts.blocks) };
}

/** Share of pairs in which the true one scores higher; equal scores count half. NaN without examples of both kinds. */
export function weightedAuc({ answers }: Question, weights: readonly number[]): number {
  let negatives = 0;
  let positives = 0;
  let wins = 0;
  for (let start = 0; start < answers.length;) {
    let tiedPositives = 0;
    let tiedNegatives = 0;
    const { score } = answers[start]!;
    let end = start;
    for (; end < answers.length && answers[end]!.score === score; end++) {
      const { item, truth } = answers[end]!;
      if (truth) tiedPositives += weights[item]!;
      else tiedNegatives += weights[item]!;
    }
    wins += tiedPositives * (negatives + tiedNegatives / 2);
    positives += tiedPositives;
    negatives += tiedNegatives;
    start = end;
  }
  return wins / (positives * negatives);
}

function weightedAccuracy({ answers }: Question, weights: readonly number[]): number {
  let right = 0;
  let all = 0;
  for (const { item, score, truth } of answers) {
    all += weights[item]!;
    if (score > 0.5 === truth) right += weights[item]!;
  }
  return right / all;
}

function weightedShare(right: readonly boolean[], weights: readonly number[]): number {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return right.reduce((sum, isRight, item) => sum + (isRight ? weights[item]! : 0), 0) / all;
}
