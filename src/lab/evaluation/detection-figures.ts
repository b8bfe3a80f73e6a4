import { auc } from './auc.ts';
import { bootstrapInterval } from './bootstrap.ts';
import { rounded } from './compute-figures.ts';
import { wilsonInterval, type Interval } from '../../core/wilson.ts';
import type { ScoredExample } from './results.ts';

/** How well one label tells clips that show it from clips that do not. */
export interface DetectionFigures {
  readonly n: number;
  readonly positives: number;
  /** Absent where the clips are all of one kind. */
  readonly auc?: number;
  readonly auc_interval?: Interval;
  /** Share of clips on the right side of the threshold. */
  readonly accuracy: number;
  readonly accuracy_interval: Interval;
  readonly threshold: number;
  readonly true_positives: number;
  readonly false_positives: number;
}

/** @param examples at least one; `truth` holds the label, or nothing */
export function detectionFigures(
  examples: readonly ScoredExample[],
  {
    labelId,
    threshold,
    seed,
  }: { readonly labelId: number; readonly threshold: number; readonly seed: number },
): DetectionFigures {
  const judged = examples.map(({ group, truth, scores }) => {
    const score = scores[labelId] ?? 0;
    return { group, score, positive: truth.includes(labelId), reported: score >= threshold };
  });
  const right = judged.filter(({ positive, reported }) => positive === reported).length;
  const area = auc(judged);
  const areaInterval = bootstrapInterval(judged, auc, { seed });
  return {
    n: judged.length,
    positives: judged.filter(({ positive }) => positive).length,
    ...(area !== undefined && { auc: rounded(area) }),
    ...(areaInterval && { auc_interval: roundedInterval(areaInterval) }),
    accuracy: rounded(right / judged.length),
    accuracy_interval: roundedInterval(wilsonInterval(right, judged.length)),
    threshold,
    true_positives: judged.filter(({ positive, reported }) => positive && reported).length,
    false_positives: judged.filter(({ positive, reported }) => !positive && reported).length,
  };
}

export function roundedInterval([low, high]: Interval): Interval {
  return [rounded(low), rounded(high)];
}
