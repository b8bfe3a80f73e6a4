/** The best `count` of the candidates, best first; equal scores in the order of the candidates. */
export function bestOf(
  scores: readonly number[],
  candidates: readonly number[],
  count: number,
): readonly number[] {
  const scoreOf = (id: number): number => scores[id] ?? -Infinity;
  return [...candidates].sort((a, b) => scoreOf(b) - scoreOf(a)).slice(0, count);
}

/** True label → predicted label → how often; both in the order of `names`, without what never happened. */
export function confusionOf(
  pairs: readonly { readonly truth: string; readonly predicted: string }[],
  names: readonly string[],
): Readonly<Record<string, Readonly<Record<string, number>>>> {
  const count = (truth: string, predicted: string): number =>
    pairs.filter((pair) => pair.truth === truth && pair.predicted === predicted).length;
  const rows = names.map((truth) => {
    const cells = names.map((predicted) => [predicted, count(truth, predicted)] as const);
    return [truth, Object.fromEntries(cells.filter(([, n]) => n > 0))] as const;
  });
  return Object.fromEntries(rows.filter(([, cells]) => Object.keys(cells).length > 0));
}
