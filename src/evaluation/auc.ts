/**
 * Area under the ROC curve: the chance that a positive scores above a negative, ties counting half. Undefined where
 * one of the two is missing.
 */
export function auc(
  examples: readonly { readonly score: number; readonly positive: boolean }[],
): number | undefined {
  const sorted = [...examples].sort((a, b) => a.score - b.score);
  let [below, wins, positives] = [0, 0, 0];
  for (let start = 0; start < sorted.length;) {
    const score = sorted[start]?.score;
    let [end, tiedPositives] = [start, 0];
    for (; end < sorted.length && sorted[end]?.score === score; end += 1) {
      if (sorted[end]?.positive) tiedPositives += 1;
    }
    const tiedNegatives = end - start - tiedPositives;
    wins += tiedPositives * (below + tiedNegatives / 2);
    below += tiedNegatives;
    positives += tiedPositives;
    start = end;
  }
  return positives === 0 || below === 0 ? undefined : wins / (positives * below);
}
