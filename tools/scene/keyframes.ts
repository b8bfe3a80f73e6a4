import { blendPoses, STAND } from './pose.ts';
import type { Pose } from './pose.ts';

/**
 * A moment of a motion: its share of the duration, the joints that differ from
 * standing, and how it is reached.
 */
export type Key = readonly [at: number, joints: Partial<Pose>, ease?: Ease];

/** `smooth` starts and ends at rest, `in` gathers speed (falling, striking), `out` loses it. */
type Ease = 'smooth' | 'in' | 'out';

/** The pose at a share (0..1) of a motion. Before the first key and after the last, that key holds. */
export function poseAt(keys: readonly Key[], share: number): Pose {
  const next = keys.findIndex(([at]) => at > share);
  if (next === 0) return fullPose(keys[0]!);
  if (next < 0) return fullPose(keys[keys.length - 1]!);
  const [from, to] = [keys[next - 1]!, keys[next]!];
  const local = (share - from[0]) / (to[0] - from[0]);
  return blendPoses(fullPose(from), fullPose(to), applyEase(to[2] ?? 'smooth', local));
}

/** Smooth step over 0..1, held outside. */
export function smoothStep(x: number): number {
  const held = Math.min(1, Math.max(0, x));
  return held * held * (3 - 2 * held);
}

function applyEase(ease: Ease, x: number): number {
  switch (ease) {
    case 'smooth':
      return smoothStep(x);
    case 'in':
      return x * x;
    case 'out':
      return 1 - (1 - x) * (1 - x);
  }
}

function fullPose([, joints]: Key): Pose {
  return { ...STAND, ...joints };
}
