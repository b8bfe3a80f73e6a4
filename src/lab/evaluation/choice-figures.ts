import { rounded } from './compute-figures.ts';
import { roundedInterval } from './detection-figures.ts';
import { wilsonInterval, type Interval } from '../../core/wilson.ts';
import { bestOf, confusionOf } from './ranking.ts';
import type { ScoredExample } from './results.ts';

/** How often the best label is the right one. */
export interface ChoiceFigures {
  readonly n: number;
  /** Labels that the model chose among. */
  readonly choices: number;
  readonly top1: number;
  readonly top1_interval: Interval;
  /** Where there are more than five choices to lose. */
  readonly top5?: number;
  readonly top5_interval?: Interval;
  /** True label → chosen label → clips; only of few labels. */
  readonly confusion?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** A table that nobody can read helps nobody. */
const CONFUSION_MOST = 60;
/** Up to so many labels, being among the best five says little. */
const TOP5_LEAST = 10;

/** @param examples at least one, each with a truth among the candidates */
export function choiceFigures(
  examples: readonly ScoredExample[],
  { candidates, labels }: { readonly candidates: readonly number[]; readonly labels: readonly string[] },
): ChoiceFigures {
  const judged = examples.map(({ truth, scores }) => {
    const best = bestOf(scores, candidates, 5);
    const predicted = best[0] ?? -1;
    // Of several true labels, the one that was chosen; else the first.
    const named = truth.includes(predicted) ? predicted : (truth[0] ?? -1);
    const first = truth.includes(predicted);
    const nameOf = (id: number): string => labels[id] ?? String(id);
    return {
      first,
      five: best.some((id) => truth.includes(id)),
      truth: nameOf(named),
      predicted: nameOf(predicted),
    };
  });
  const n = judged.length;
  const ones = judged.filter(({ first }) => first).length;
  const fives = judged.filter(({ five }) => five).length;
  const names = candidates.map((id) => labels[id] ?? String(id));
  return {
    n,
    choices: candidates.length,
    top1: rounded(ones / n),
    top1_interval: roundedInterval(wilsonInterval(ones, n)),
    ...(candidates.length > TOP5_LEAST && {
      top5: rounded(fives / n),
      top5_interval: roundedInterval(wilsonInterval(fives, n)),
    }),
    ...(names.length <= CONFUSION_MOST && { confusion: confusionOf(judged, names) }),
  };
}
