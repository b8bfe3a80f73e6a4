/** What a network says of one clip. */
export interface ScoredLabels {
  /** [labels], from 0 to 1 */
  readonly scores: ArrayLike<number>;
  /** [labels] */
  readonly logits: ArrayLike<number>;
}

/**
 * How far two runs of one clip decide alike, from 0 to 1. Labels that stand for themselves make one decision
 * each. Labels of one distribution (softmax) make one decision together: of 400 of them nearly all are below
 * their thresholds whatever the network says. The measure of `calibrate` and the audit.
 *
 * @param thresholds one a label
 */
export function heldShare(
  dense: ScoredLabels,
  sampled: Pick<ScoredLabels, 'scores'>,
  thresholds: readonly number[],
): number {
  const share = decisionShare(dense, sampled, thresholds);
  return standAlone(dense) ? share : Math.floor(share);
}

/**
 * Share of labels whose two scores are on the same side of the label's threshold.
 *
 * @param thresholds one a label
 */
export function decisionShare(
  dense: Pick<ScoredLabels, 'scores'>,
  sampled: Pick<ScoredLabels, 'scores'>,
  thresholds: readonly number[],
): number {
  const same = thresholds.filter(
    (threshold, label) =>
      (dense.scores[label] ?? 0) >= threshold === (sampled.scores[label] ?? 0) >= threshold,
  );
  return same.length / thresholds.length;
}

/** Whether each score is the sigmoid of its logit. */
export function standAlone({ scores, logits }: ScoredLabels): boolean {
  return Array.from(logits).every((x, i) => Math.abs(1 / (1 + Math.exp(-x)) - (scores[i] ?? 0)) < 1e-4);
}
