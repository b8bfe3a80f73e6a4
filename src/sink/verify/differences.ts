import type { Difference } from './types.ts';

/** Counts all, keeps the first ones. */
export interface Differences {
  add(difference: Difference): void;
  readonly count: number;
  readonly first: readonly Difference[];
  /** Is there room for one more? Details cost a read of the journal, so they are asked for only then. */
  readonly isOpen: boolean;
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
    get count() {
      return count;
    },
    first,
    get isOpen() {
      return first.length < LISTED;
    },
  };
}
