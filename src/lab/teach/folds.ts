import { groupBy } from '../../core/group-by.ts';

/** Up to so many groups each is a fold of its own. */
const MOST_FOLDS = 10;

/**
 * Which fold each item is in [n]: no group is in two folds, and folds are about equally large. The
 * same items give the same folds, whatever their order.
 */
export function foldsOf(items: readonly { readonly group: string }[]): readonly number[] {
  const groups = [...groupBy(items, ({ group }) => group)]
    .map(([group, members]) => ({ group, size: members.length }))
    .sort((a, b) => b.size - a.size || (a.group < b.group ? -1 : 1));
  const sizes = new Array<number>(Math.min(MOST_FOLDS, groups.length)).fill(0);
  const foldOf = new Map<string, number>();
  for (const { group, size } of groups) {
    const fold = sizes.indexOf(Math.min(...sizes));
    sizes[fold] = (sizes[fold] ?? 0) + size;
    foldOf.set(group, fold);
  }
  return items.map(({ group }) => foldOf.get(group) ?? 0);
}
