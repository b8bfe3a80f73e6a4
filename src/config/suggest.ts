/**
 * The known word that was probably meant: the same but for case and separators, or at
 * most two changes (a third of a short word) away. Undefined where nothing is near.
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const same = known.find((candidate) => plain(candidate) === plain(word));
  if (same !== undefined) return same;
  const near = known
    .map((candidate) => ({ candidate, changes: editDistance(plain(word), plain(candidate)) }))
    .filter(({ candidate, changes }) => changes <= Math.min(2, Math.ceil(candidate.length / 3)))
    .sort((a, b) => a.changes - b.changes);
  return near[0]?.candidate;
}

/** `; did you mean "url"?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = suggest(word, known);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[-_\s]/g, '');
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? (beforeLast[j - 2] ?? 0) + 1
          : Infinity;
      row.push(Math.min(replaced, swapped, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
