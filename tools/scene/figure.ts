import { bodyCapsules } from './body.ts';
import { fightPose } from './fight.ts';
import { walkPose } from './gait.ts';
import { poseAt, smoothStep } from './keyframes.ts';
import { MOTION_KEYS } from './motion-keys.ts';
import { blendPoses, mirrorPose, STAND } from './pose.ts';
import { hash2 } from './prng.ts';
import type { Body, Capsule } from './body.ts';
import type { KeyedMotion } from './motion-keys.ts';
import type { Pose } from './pose.ts';

export type MotionName = KeyedMotion | 'stand' | 'walk' | 'fight';

/**
 * Where a figure stands: metres on the floor, heading in radians (0 faces +z,
 * positive to the right), height of what carries it.
 */
export interface Place {
  readonly x: number;
  readonly z: number;
  readonly heading: number;
  readonly height: number;
}

/** One motion of one figure over [startS, endS). */
export interface Segment {
  readonly motion: MotionName;
  readonly startS: number;
  readonly endS: number;
  readonly from: Place;
  readonly to: Place;
  readonly mirrored: boolean;
  /** 0 or 1: which of the two in a fight. */
  readonly role: 0 | 1;
  readonly seed: number;
  /** The motion before melts into this one over this time, seconds. */
  readonly blendS: number;
}

/**
 * A person of the scene; exists from the first segment's start to the last
 * one's end. Segments follow each other without a gap.
 */
export interface Figure {
  readonly id: number;
  readonly body: Body;
  readonly segments: readonly Segment[];
}

/** The limbs of a figure at a time, or nothing while it is away. */
export function figureCapsules(figure: Figure, timeS: number): readonly Capsule[] {
  const index = figure.segments.findIndex(({ startS, endS }) => timeS >= startS && timeS < endS);
  if (index < 0) return [];
  const segment = figure.segments[index]!;
  const previous = figure.segments[index - 1];
  let pose = segmentPose(figure, segment, timeS);
  if (previous !== undefined) {
    const before = carryOver(segmentPose(figure, previous, previous.endS), figure, previous.to, segment.from);
    pose = blendPoses(before, pose, smoothStep((timeS - segment.startS) / segment.blendS));
  }
  return bodyCapsules(figure.body, pose, segmentPlace(segment, timeS));
}

/** A pose as seen from another place: where the next segment starts elsewhere, the body must not jump. */
function carryOver(pose: Pose, { body }: Figure, from: Place, to: Place): Pose {
  const unit = body.height / 1.75;
  const [dx, dz] = [(from.x - to.x) / unit, (from.z - to.z) / unit];
  const [sin, cos] = [Math.sin(to.heading), Math.cos(to.heading)];
  return { ...pose, forward: pose.forward + dx * sin + dz * cos, aside: pose.aside + dx * cos - dz * sin };
}

function segmentPlace({ from, to, startS, endS, motion }: Segment, timeS: number): Place {
  const share = (timeS - startS) / (endS - startS);
  const moved = motion === 'walk' ? share : smoothStep(share);
  const turned = smoothStep((timeS - startS) / Math.min(0.4, endS - startS));
  const turn = Math.atan2(Math.sin(to.heading - from.heading), Math.cos(to.heading - from.heading));
  return {
    x: from.x + (to.x - from.x) * moved,
    z: from.z + (to.z - from.z) * moved,
    heading: from.heading + turn * turned,
    height: from.height + (to.height - from.height) * moved,
  };
}

function segmentPose(figure: Figure, segment: Segment, timeS: number): Pose {
  const pose = vary(rawPose(segment, timeS), segment, timeS, figure.id);
  const { height } = segmentPlace(segment, timeS);
  return { ...pose, lift: pose.lift + height };
}

function rawPose(segment: Segment, timeS: number): Pose {
  const { motion, startS, endS, from, to, seed } = segment;
  const sinceStartS = timeS - startS;
  const untilEndS = endS - timeS;
  if (motion === 'stand') return STAND;
  if (motion === 'fight') return fightPose(sinceStartS, untilEndS, seed, segment.role);
  if (motion === 'walk') {
    const length = Math.hypot(to.x - from.x, to.z - from.z);
    const speed = length / (endS - startS);
    const swing = 0.6 + 0.5 * hash2(1, 1, seed);
    return walkPose({ distance: speed * sinceStartS, speed, sinceStartS, untilEndS, swing });
  }
  const pose = poseAt(MOTION_KEYS[motion], sinceStartS / (endS - startS));
  return segment.mirrored ? mirrorPose(pose) : pose;
}

/** No two people do a thing alike: each segment has its own strength, and nobody stands like a statue. */
function vary(pose: Pose, { seed }: Segment, timeS: number, id: number): Pose {
  const strength = (joint: number): number => 0.9 + 0.2 * hash2(joint, 2, seed);
  const breath = Math.sin(timeS * 1.7 + id * 2.1);
  const sway = Math.sin(timeS * 0.9 + id);
  return {
    ...pose,
    spine: pose.spine * strength(1) + 0.8 * breath,
    lean: pose.lean + 1.2 * sway,
    look: pose.look + 9 * Math.sin(timeS * 0.5 + id * 3) * Math.sin(timeS * 0.23 + id),
    leftShoulder: pose.leftShoulder * strength(2) + 1.2 * breath,
    rightShoulder: pose.rightShoulder * strength(3) + 1.2 * breath,
    leftElbow: pose.leftElbow * strength(4),
    rightElbow: pose.rightElbow * strength(5),
    leftOut: pose.leftOut + 6 * (hash2(6, 2, seed) - 0.5),
    rightOut: pose.rightOut + 6 * (hash2(7, 2, seed) - 0.5),
  };
}
