import { binOf, walkArc, type ArcWalk } from './arc-length.ts';
import type { Embeddings, OrderedOptions } from './types.ts';

/**
 * The first bin of `ordered` as it runs on along a stream behind the clip with which it began.
 * Whether a step lies in it needs nothing after that step, so what stands never changes.
 */
export interface BinRun {
  /** Steps since the bin began, those behind it too. */
  readonly steps: number;
  /** How many of them lie in it: the first so many. */
  readonly inBin: number;
  readonly walk: ArcWalk;
}

/** A bin that begins with the first of these steps, as the first one of planOrdered. */
export function beginBin(embeddings: Embeddings, options: OrderedOptions): BinRun {
  return reachOf({ steps: 0, inBin: 0 }, walkArc(embeddings, options), options);
}

/** The same bin once these steps have come, which follow the ones before. */
export function continueBin(run: BinRun, next: Embeddings, options: OrderedOptions): BinRun {
  return reachOf(run, walkArc(next, options, run.walk), options);
}

function reachOf(
  { steps, inBin }: Pick<BinRun, 'steps' | 'inBin'>,
  walk: ArcWalk,
  { width: bin, minSteps = 1 }: OrderedOptions,
): BinRun {
  const { length } = walk.arc;
  // A clip in which anything moves keeps more than one step then.
  const width = minSteps > 1 ? 0 : bin;
  const left = walk.arc.findIndex((s) => binOf(s, width) !== binOf(0, width));
  const more = inBin < steps ? 0 : left < 0 ? length : left;
  return { steps: steps + length, inBin: inBin + more, walk };
}
