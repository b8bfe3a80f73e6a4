import { binOf } from './arc-length.ts';
import type { OrderedOptions } from './types.ts';

/** Steps from `start` up to `end`, without it. */
export type Group = readonly [start: number, end: number];

/**
 * Runs of steps that share a bin. Where some step moves and they are fewer than
 * `minSteps`, the group that goes the longest way is cut where it is nearest to half
 * of it, again and again; of groups that do not move, the longest, in its middle.
 */
export function groupSteps(
  arc: Float64Array,
  { width, minSteps = 1 }: Pick<OrderedOptions, 'width' | 'minSteps'>,
): readonly Group[] {
  const groups = binsOf(arc, width);
  const moves = (arc.at(-1) ?? 0) > (arc[0] ?? 0);
  const least = moves ? Math.min(minSteps, arc.length) : 0;
  while (groups.length < least) {
    const widest = groups.reduce((best, group) => (isWider(arc, group, best) ? group : best));
    const [start, end] = widest;
    const cut = cutOf(arc, widest);
    groups.splice(groups.indexOf(widest), 1, [start, cut], [cut, end]);
  }
  return groups;
}

function binsOf(arc: Float64Array, width: number): Group[] {
  const groups: Group[] = [];
  for (let start = 0; start < arc.length;) {
    const bin = binOf(arc[start]!, width);
    let end = start + 1;
    while (end < arc.length && binOf(arc[end]!, width) === bin) end += 1;
    groups.push([start, end]);
    start = end;
  }
  return groups;
}

function isWider(arc: Float64Array, one: Group, other: Group): boolean {
  const [way, otherWay] = [wayOf(arc, one), wayOf(arc, other)];
  return way === otherWay ? one[1] - one[0] > other[1] - other[0] : way > otherWay;
}

function wayOf(arc: Float64Array, [start, end]: Group): number {
  return arc[end - 1]! - arc[start]!;
}

/** The first step of the second part. */
function cutOf(arc: Float64Array, [start, end]: Group): number {
  const half = (arc[start]! + arc[end - 1]!) / 2;
  const behind = arc.subarray(start + 1, end).findIndex((s) => s > half);
  return behind < 0 ? start + Math.ceil((end - start) / 2) : start + 1 + behind;
}
