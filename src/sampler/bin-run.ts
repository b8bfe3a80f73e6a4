import { binOf, walkArc, type ArcWalk } from './arc-length.ts';
import type { Embeddings, OrderedOptions } from './types.ts';

/**
 * The bins of `ordered` as they run on along a stream behind the clip with whose first step they began. A step's bin
 * needs nothing after it, so those that stand never change.
 */
export interface BinRun {
  /** ⌊s/δ⌋ of each step since; never falls. */
  readonly bins: readonly number[];
  readonly walk: ArcWalk;
}

/** Bins that begin with the first of these steps; as in planOrdered. */
export function beginBins(embeddings: Embeddings, options: OrderedOptions): BinRun {
  return binsBehind([], walkArc(embeddings, options), options);
}

/** The same bins with the steps that come next. */
export function continueBins({ bins, walk }: BinRun, next: Embeddings, options: OrderedOptions): BinRun {
  return binsBehind(bins, walkArc(next, options, walk), options);
}

/**
 * Whether the `length` steps from `first` on lie in just the bins of the first `length` ones, so that both clips keep the
 * same maps, and have a step in common.
 */
export function keepsSameBins({ bins }: BinRun, first: number, length: number): boolean {
  const last = first + length - 1;
  return first < length && bins[first] === bins[0] && bins[last] === bins[length - 1];
}

function binsBehind(bins: readonly number[], walk: ArcWalk, { width }: OrderedOptions): BinRun {
  return { bins: [...bins, ...Array.from(walk.arc, (s) => binOf(s, width))], walk };
}
