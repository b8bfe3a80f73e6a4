import { wilsonInterval } from '../../core/wilson.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import { auc } from '../evaluation/auc.ts';
import { bootstrapInterval } from '../evaluation/bootstrap.ts';
import { rounded } from '../evaluation/compute-figures.ts';
import { roundedInterval } from '../evaluation/detection-figures.ts';
import { confusionOf } from '../evaluation/ranking.ts';
import { BACKGROUND, shows, type TaughtLabel } from './teach-labels.ts';
import type { CrossValidation, Example, LabelFigures, SamplerFigures, TeachRecord } from './types.ts';

/** A clip that heads scored without having learned from its group. */
interface JudgedClip {
  readonly group: string;
  readonly scores: readonly LabelScore[];
  readonly truth: string;
  readonly predicted: string;
  readonly right: boolean;
}

interface LabelScore {
  readonly label: string;
  readonly threshold: number;
  readonly score: number;
  readonly positive: boolean;
}

type HeadFigures = Pick<TeachRecord, 'cross_validation' | 'label_figures' | 'samplers' | 'confusion'>;

/** What cross-validation says of the heads: the figures of all steps, then of each sampler. */
export function headFigures(
  examples: readonly Example[],
  taught: readonly TaughtLabel[],
  samplers: readonly SamplerOptions[],
): HeadFigures {
  const judged = judge(examples, taught, 0);
  const labels = taught.map(({ label }) => label);
  return {
    cross_validation: crossValidation(judged),
    label_figures: Object.fromEntries(taught.map((one) => [one.label, labelFigures(one)])),
    samplers: samplers.map((sampler, index) => samplerFigures(examples, taught, { sampler, index })),
    confusion: confusionOf(judged, labels),
  };
}

function crossValidation(judged: readonly JudgedClip[]): CrossValidation {
  const area = meanAuc(judged);
  const interval = bootstrapInterval(judged, meanAuc, { seed: 0, rounds: 400 });
  const right = judged.filter((clip) => clip.right).length;
  const spread = bootstrapInterval(judged, accuracyOf, { seed: 0 }) ?? wilsonInterval(right, judged.length);
  return {
    ...(area !== undefined && { auc: rounded(area) }),
    ...(area !== undefined && interval && { auc_interval: roundedInterval(interval) }),
    accuracy: rounded(accuracyOf(judged) ?? 0),
    accuracy_interval: roundedInterval(spread),
  };
}

function labelFigures({ outcomes, regularisation, threshold }: TaughtLabel): LabelFigures {
  const positives = outcomes.filter(({ positive }) => positive);
  const judged = outcomes.flatMap(({ example: { group }, positive, scores = [] }) =>
    scores.slice(0, 1).map((score) => ({ group, score, positive })),
  );
  const area = auc(judged);
  const interval = bootstrapInterval(judged, auc, { seed: 0 });
  return {
    clips: positives.length,
    groups: new Set(positives.map(({ example }) => example.group)).size,
    of: outcomes.length,
    regularisation,
    threshold,
    ...(area !== undefined && { auc: rounded(area) }),
    ...(area !== undefined && interval && { auc_interval: roundedInterval(interval) }),
  };
}

function samplerFigures(
  examples: readonly Example[],
  taught: readonly TaughtLabel[],
  { sampler, index }: { readonly sampler: SamplerOptions; readonly index: number },
): SamplerFigures {
  const judged = judge(examples, taught, index);
  const area = meanAuc(judged);
  const kept = examples.reduce((sum, { features }) => sum + (features.kept[index] ?? 0), 0);
  return {
    sampler,
    kept_ratio: rounded(kept / examples.length),
    ...(area !== undefined && { auc: rounded(area) }),
    accuracy: rounded(accuracyOf(judged) ?? 0),
  };
}

/**
 * The decision on each clip: of the labels that reach their thresholds the one with the highest
 * score; where none does, the background, or the highest of all where there is no background.
 */
function judge(
  examples: readonly Example[],
  taught: readonly TaughtLabel[],
  sampler: number,
): readonly JudgedClip[] {
  const heads = taught.map(({ label, threshold, outcomes }) => ({
    ...{ label, threshold },
    scores: new Map(outcomes.map(({ example, scores }) => [example, scores?.[sampler]])),
  }));
  const background = taught.some(({ label }) => label === BACKGROUND);
  return examples.flatMap((example) => {
    const scores = heads.flatMap(({ label, threshold, scores: of }) => {
      const score = of.get(example);
      return score === undefined ? [] : [{ label, threshold, score, positive: shows(example, label) }];
    });
    const actions = scores.filter(({ label }) => label !== BACKGROUND).sort((a, b) => b.score - a.score);
    const [strongest] = actions;
    if (!strongest) return [];
    const reported = actions.find(({ score, threshold }) => score >= threshold);
    const predicted = reported?.label ?? (background ? BACKGROUND : strongest.label);
    const right = shows(example, predicted);
    const truth = right ? predicted : (example.labels[0] ?? BACKGROUND);
    return [{ group: example.group, scores, truth, predicted, right }];
  });
}

/** The mean over the labels that have both kinds of clips, background left out. */
function meanAuc(clips: readonly JudgedClip[]): number | undefined {
  const byLabel = new Map<string, LabelScore[]>();
  for (const one of clips.flatMap(({ scores }) => scores)) {
    const list = byLabel.get(one.label);
    if (list) list.push(one);
    else byLabel.set(one.label, [one]);
  }
  byLabel.delete(BACKGROUND);
  const areas = [...byLabel.values()].flatMap((scores) => auc(scores) ?? []);
  return areas.length === 0 ? undefined : areas.reduce((sum, area) => sum + area, 0) / areas.length;
}

function accuracyOf(clips: readonly JudgedClip[]): number | undefined {
  return clips.length === 0 ? undefined : clips.filter(({ right }) => right).length / clips.length;
}
