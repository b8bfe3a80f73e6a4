import type { Difference } from './types.ts';

/** Counts all, keeps the first ones. */
export interface Differences {
  add(difference: Difference): void;
  /** In place of one of the same subject, if that is kept. */
  replace(difference: Difference): void;
  readonly count: number;
  readonly first: readonly Difference[];
}

/** More help nobody, and must not fill the memory. */
const LISTED = 1000;

export function createDifferences(): Differences {
  const first: Difference[] = [];
  let count = 0;
  return {
    add(difference) {
      count += 1;
      if (first.length < LISTED) first.push(difference);
    },
    replace(difference) {
      const at = first.findIndex(({ subject }) => subject === difference.subject);
      if (at >= 0) first[at] = difference;
    },
    get count() {
      return count;
    },
    first,
  };
}
