import type { ResolvedTask } from '../../src/lab/evaluation/resolve-task.ts';
import type { PredictedClip } from './predictions.ts';

/** From where on a clip shows the label of a detection task: near the best accuracy on held-out groups. */
export const DETECTION_ON = 0.5;

/** Of the windows of a data set, those where a sampler left the dense network's decision as it was. */
export interface Agreement {
  readonly windows: number;
  readonly same: number;
}

/**
 * How often sampled windows get the dense network's decision, by data set. A decision: of
 * a detection task whether the label is there; of a choice which of its labels is best.
 *
 * @throws Error where the two were not made of the same windows
 */
export function agreementWithDense(
  dense: readonly PredictedClip[],
  sampled: readonly PredictedClip[],
  tasks: ReadonlyMap<string, ResolvedTask>,
): ReadonlyMap<string, Agreement> {
  if (sampled.length !== dense.length) throw differs('', sampled.length, dense.length);
  const agreements = new Map<string, Agreement>();
  dense.forEach(({ dataset, path, windows }, index) => {
    const task = tasks.get(dataset);
    const other = sampled[index]!;
    if (!task) return;
    if (other.path !== path || other.windows.length !== windows.length)
      throw differs(`${path}: `, other.windows.length, windows.length);
    const same = windows.filter(
      ({ scores }, window) => decisionOf(scores, task) === decisionOf(other.windows[window]!.scores, task),
    ).length;
    const sum = agreements.get(dataset) ?? { windows: 0, same: 0 };
    agreements.set(dataset, { windows: sum.windows + windows.length, same: sum.same + same });
  });
  return agreements;
}

/** True where every data set keeps that share of its decisions. */
export function keepsDecisions(agreements: ReadonlyMap<string, Agreement>, share: number): boolean {
  return [...agreements.values()].every(({ windows, same }) => same >= share * windows);
}

/** For people. */
export function describeAgreements(delta: number, agreements: ReadonlyMap<string, Agreement>): string {
  const shares = [...agreements].map(([dataset, { same, windows }]) => {
    return `${dataset} ${same} of ${windows} (${((100 * same) / windows).toFixed(1)} %)`;
  });
  return `δ ${delta}: windows with the dense decision: ${shares.join(', ')}`;
}

function decisionOf(scores: readonly number[], { kind, candidates }: ResolvedTask): number | boolean {
  if (kind === 'detection') return scores[candidates[0]!]! >= DETECTION_ON;
  return candidates.reduce((best, id) => (scores[id]! > scores[best]! ? id : best));
}

function differs(where: string, one: number, other: number): Error {
  return new Error(`${where}${one} beside ${other}: the predictions are of different lists or windows`);
}
