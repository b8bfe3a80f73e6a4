import { setImmediate } from 'node:timers/promises';
import { at } from '../core/at.ts';
import { groupBy } from '../core/group-by.ts';
import { monotonicMs } from '../core/time.ts';
import { whenAllAborted } from './aborts.ts';
import type { ClipRun } from './clip-run.ts';

/** Something of a clip. */
export interface Of<T> {
  readonly run: ClipRun;
  readonly value: T;
}

interface GroupOptions<A, B> {
  /** Items of different keys are never computed together. */
  readonly keyOf: (value: A) => string;
  /** Items of one call. */
  readonly atMost: number;
  readonly stage: 'lowerMs' | 'upperMs';
  /** Outputs in the order of the items. */
  readonly compute: (values: readonly A[], signal: AbortSignal) => Promise<readonly B[]>;
}

/**
 * Computes the items in as few calls as their keys allow, and gives the output of each. Clips of
 * aborted requests are left out. A call that fails is made again item by item, so that one clip
 * fails and not all. Each clip is charged its equal share of the time of each call.
 */
export async function runGroups<A, B>(
  items: readonly Of<A>[],
  { keyOf, atMost, stage, compute }: GroupOptions<A, B>,
): Promise<ReadonlyMap<A, B>> {
  const outputs = new Map<A, B>();

  const computeGroup = async (group: readonly Of<A>[]): Promise<void> => {
    if (!group.some(({ run }) => run.isWanted())) return;
    // Lets an abort come through: a runtime may compute on this thread, and messages wait meanwhile.
    await setImmediate();
    const wanted = group.filter(({ run }) => run.isWanted());
    if (wanted.length === 0) return;
    const startedMs = monotonicMs();
    const charge = (): void => {
      for (const { run } of wanted) run.spent[stage] += (monotonicMs() - startedMs) / wanted.length;
    };
    try {
      const signal = whenAllAborted(wanted.map(({ run }) => run.request.signal));
      const computed = await compute(
        wanted.map(({ value }) => value),
        signal,
      );
      charge();
      wanted.forEach(({ value }, index) => outputs.set(value, at(computed, index)));
    } catch (error) {
      charge();
      if (wanted.length === 1) wanted[0]?.run.fail(error);
      else for (const item of wanted) await computeGroup([item]);
    }
  };

  for (const alike of groupBy(items, ({ value }) => keyOf(value)).values()) {
    for (let from = 0; from < alike.length; from += atMost)
      await computeGroup(alike.slice(from, from + atMost));
  }
  return outputs;
}
