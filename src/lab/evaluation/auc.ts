/**
 * Area under the ROC curve: the chance that a positive scores above a negative,
 * ties counting half. Undefined where one of the two is missing.
 */
export function auc(
  examples: readonly { readonly score: number; readonly positive: boolean }[],
): number | undefined {
  return sortedAuc(
    [...examples].sort((a, b) => a.score - b.score),
    () => 1,
  );
}

/**
 * The same of examples that lie in rising order of score, each counting
 * `weightOf` times: a draw of a bootstrap.
 */
export function sortedAuc<T extends { readonly score: number; readonly positive: boolean }>(
  sorted: readonly T[],
  weightOf: (example: T) => number,
): number | undefined {
  let [below, wins, positives] = [0, 0, 0];
  for (let start = 0; start < sorted.length;) {
    const score = sorted[start]?.score;
    let [end, tiedPositives, tiedNegatives] = [start, 0, 0];
    for (let example = sorted[end]; example?.score === score && example; example = sorted[end]) {
      if (example.positive) tiedPositives += weightOf(example);
      else tiedNegatives += weightOf(example);
      end += 1;
    }
    wins += tiedPositives * (below + tiedNegatives / 2);
    below += tiedNegatives;
    positives += tiedPositives;
    start = end;
  }
  return positives === 0 || below === 0 ? undefined : wins / (positives * below);
}
