import { at } from '../../core/at.ts';
import { groupBy } from '../../core/group-by.ts';
import { chooseThreshold, MIDDLE } from './choose-threshold.ts';
import { foldsOf } from './folds.ts';
import { fitHeads, scoreOf, standardise, type LabelHead, type Row } from './linear-head.ts';
import type { ClipFeatures, Example } from './types.ts';

/** The label of clips that show none of the actions. */
export const BACKGROUND = 'background';

/** A label with its head, and what cross-validation says of it. */
export interface TaughtLabel {
  readonly label: string;
  readonly head: LabelHead;
  /** λ of the L2 penalty. */
  readonly regularisation: number;
  readonly threshold: number;
  /** Of every example that could show the label. */
  readonly outcomes: readonly Outcome[];
}

export interface Outcome {
  readonly example: Example;
  readonly positive: boolean;
  /**
   * By a head that learned from no clip of the example's group, the mean over its windows
   * [samplers]; absent where the other groups do not have both kinds of clips.
   */
  readonly scores?: readonly number[];
}

/** Strongest first. Features have variance 1, so they mean the same to every backbone: C of 0.0001 to 0.1. */
const LAMBDAS = [10_000, 3000, 1000, 300, 100, 30, 10];

/**
 * One-against-the-rest heads on frozen features. A label learns from the data sets in which it
 * occurs: of clips of others nobody knows whether they show it. Labels of the same data sets share
 * λ, the one with the least log loss on clips of held-out groups. Every sampler counts alike, so
 * that the head holds however many steps are kept.
 */
export function teachLabels(examples: readonly Example[], labels: readonly string[]): readonly TaughtLabel[] {
  const tasks = groupBy(labels, (label) => [...datasetsOf(examples, label)].join('\0'));
  const taught = [...tasks.values()].flatMap((together) => teachTogether(examples, together));
  return labels.map((label) =>
    at(
      taught,
      taught.findIndex((one) => one.label === label),
    ),
  );
}

/** The background first where any clip shows nothing else, then the others as they come. */
export function labelsOf(examples: readonly Pick<Example, 'labels'>[]): readonly string[] {
  const background = examples.some(({ labels }) => labels.length === 0) ? [BACKGROUND] : [];
  return [...new Set([...background, ...examples.flatMap(({ labels }) => labels)])];
}

export function shows({ labels }: Pick<Example, 'labels'>, label: string): boolean {
  return label === BACKGROUND ? labels.length === 0 : labels.includes(label);
}

function datasetsOf(examples: readonly Example[], label: string): ReadonlySet<string> {
  return new Set(examples.filter((example) => shows(example, label)).map(({ dataset }) => dataset));
}

function teachTogether(all: readonly Example[], labels: readonly string[]): readonly TaughtLabel[] {
  const datasets = datasetsOf(all, labels[0] ?? '');
  const examples = all.filter(({ dataset }) => datasets.has(dataset));
  const held = crossValidate(examples, labels);
  const tried = LAMBDAS.map((_, index) =>
    labels.map((label) => ({ label, outcomes: outcomesOf(examples, label, { held, index }) })),
  );
  const losses = tried.map((of) => meanLoss(of.flatMap(({ outcomes }) => outcomes)));
  const best = losses.indexOf(Math.min(...losses));
  const standardised = standardise(examples.flatMap(rowsOf));
  return at(tried, best).map(({ label, outcomes }) => {
    const heads = fitHeads(standardised, targetsOf(examples, label), LAMBDAS.slice(0, best + 1));
    const judged = outcomes.flatMap(({ positive, scores = [] }) =>
      scores.map((score) => ({ score, positive })),
    );
    return {
      ...{ label, outcomes, head: at(heads, best), regularisation: at(LAMBDAS, best) },
      threshold: judged.length > 0 ? chooseThreshold(judged) : MIDDLE,
    };
  });
}

/** Label → example → λ → scores [samplers], by heads that did not see the example's fold. */
type HeldOut = ReadonlyMap<string, ReadonlyMap<Example, readonly (readonly number[])[]>>;

function crossValidate(examples: readonly Example[], labels: readonly string[]): HeldOut {
  const folds = foldsOf(examples);
  const held = new Map(labels.map((label) => [label, new Map<Example, readonly (readonly number[])[]>()]));
  for (const fold of new Set(folds)) {
    const rest = examples.filter((_, index) => folds[index] !== fold);
    const out = examples.filter((_, index) => folds[index] === fold);
    const standardised = standardise(rest.flatMap(rowsOf));
    for (const [label, scores] of held) {
      const kinds = new Set(rest.map((example) => shows(example, label)));
      if (kinds.size < 2) continue;
      const heads = fitHeads(standardised, targetsOf(rest, label), LAMBDAS);
      for (const example of out)
        scores.set(
          example,
          heads.map((head) => scoresOf(head, example.features)),
        );
    }
  }
  return held;
}

function outcomesOf(
  examples: readonly Example[],
  label: string,
  { held, index }: { readonly held: HeldOut; readonly index: number },
): readonly Outcome[] {
  return examples.map((example) => {
    const scores = held.get(label)?.get(example)?.[index];
    return { example, positive: shows(example, label), ...(scores && { scores }) };
  });
}

/** Natural logarithm; the same for every λ where nothing was scored. */
function meanLoss(outcomes: readonly Outcome[]): number {
  const losses = outcomes.flatMap(({ positive, scores = [] }) =>
    scores.map((score) => -Math.log(Math.max(1e-9, positive ? score : 1 - score))),
  );
  return losses.reduce((sum, loss) => sum + loss, 0) / Math.max(1, losses.length);
}

/** One a window and sampler; a clip weighs 1, however long it is. */
function rowsOf({ features }: Example): readonly Row[] {
  const count = features.samplers * features.windows;
  return Array.from({ length: count }, (_, row) => ({ features: rowAt(features, row), weight: 1 / count }));
}

function targetsOf(examples: readonly Example[], label: string): Uint8Array {
  return Uint8Array.from(
    examples.flatMap((example) => rowsOf(example).map(() => (shows(example, label) ? 1 : 0))),
  );
}

function scoresOf(head: LabelHead, features: ClipFeatures): readonly number[] {
  const { samplers, windows } = features;
  return Array.from({ length: samplers }, (_, sampler) => {
    const scores = Array.from({ length: windows }, (_, window) =>
      scoreOf(head, rowAt(features, sampler * windows + window)),
    );
    return scores.reduce((sum, score) => sum + score, 0) / windows;
  });
}

function rowAt({ data, size }: ClipFeatures, row: number): Float32Array {
  return data.subarray(row * size, (row + 1) * size);
}
