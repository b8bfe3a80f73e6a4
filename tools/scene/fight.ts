import { blendPoses, mirrorPose, STAND } from './pose.ts';
import { poseAt, smoothStep } from './keyframes.ts';
import { MOTION_KEYS } from './motion-keys.ts';
import { hash2 } from './prng.ts';
import type { KeyedMotion } from './motion-keys.ts';
import type { Pose } from './pose.ts';

/** A blow starts this often, by one or the other, seconds. */
const BLOW_EVERY_S = 0.42;
/** And takes this long. */
const BLOW_S = 0.78;
/** Distance between the two, metres: what they circle around is half of it ahead. */
export const FIGHT_GAP = 0.95;

const BLOWS: readonly (readonly [attack: KeyedMotion, answer: KeyedMotion])[] = [
  ['punch', 'takePunch'],
  ['punch', 'takePunch'],
  ['kick', 'takeKick'],
  ['push', 'takePush'],
];

const GUARD: Pose = {
  ...STAND,
  spine: 13,
  nod: 10,
  twist: 14,
  leftShoulder: 52,
  leftElbow: 100,
  leftTurn: 25,
  rightShoulder: 34,
  rightElbow: 118,
  rightTurn: 30,
  leftHip: 26,
  leftKnee: 30,
  rightHip: -10,
  rightKnee: 24,
};

/**
 * One of two figures (`role` 0 or 1, the same seed for both) trading blows while they circle. Both read the same list of blows, so
 * one's answer belongs to the other's attack.
 */
export function fightPose(seconds: number, remainingS: number, seed: number, role: 0 | 1): Pose {
  let pose = stepAround(seconds, seed, role);
  const latest = Math.floor(seconds / BLOW_EVERY_S);
  for (let blow = Math.max(0, latest - 2); blow <= latest; blow++) {
    const share = (seconds - blow * BLOW_EVERY_S - 0.12 * hash2(blow, 1, seed)) / BLOW_S;
    if (share <= 0 || share >= 1) continue;
    const attacker = hash2(blow, 2, seed) < 0.5 ? 0 : 1;
    const [attack, answer] = BLOWS[Math.floor(hash2(blow, 3, seed) * BLOWS.length)]!;
    const keyed = poseAt(MOTION_KEYS[role === attacker ? attack : answer], share);
    const moved = hash2(blow, 4, seed) < 0.5 ? keyed : mirrorPose(keyed);
    const weight = smoothStep(share / 0.2) * smoothStep((1 - share) / 0.25);
    const placed = {
      ...moved,
      aside: moved.aside + pose.aside,
      yaw: pose.yaw,
      forward: pose.forward + moved.forward * 0.8,
    };
    pose = blendPoses(pose, placed, weight);
  }
  return blendPoses(STAND, pose, smoothStep(seconds / 0.3) * smoothStep(remainingS / 0.3));
}

function stepAround(seconds: number, seed: number, role: 0 | 1): Pose {
  const turn = (hash2(7, 0, seed) - 0.5) * 1.6;
  const angle = turn * Math.sin((seconds * (0.5 + hash2(8, 0, seed))) % (2 * Math.PI));
  const bounce = Math.sin(2 * Math.PI * (1.9 + 0.5 * hash2(9, role, seed)) * seconds + role * 2);
  const sway = Math.sin(2 * Math.PI * 0.7 * seconds + 6 * hash2(10, 0, seed));
  return {
    ...GUARD,
    yaw: (angle * 180) / Math.PI,
    aside: -(FIGHT_GAP / 2) * Math.sin(angle),
    forward: (FIGHT_GAP / 2) * (1 - Math.cos(angle)) + (role === 0 ? 0.13 : -0.13) * sway,
    leftKnee: GUARD.leftKnee + 10 * bounce,
    rightKnee: GUARD.rightKnee + 10 * bounce,
    leftHip: GUARD.leftHip + 8 * bounce + 10 * sway,
    rightHip: GUARD.rightHip + 5 * bounce - 10 * sway,
    lean: 6 * sway,
  };
}
