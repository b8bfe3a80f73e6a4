import { blendPoses, mirrorPose, STAND } from './pose.ts';
import { poseAt, smoothStep } from './keyframes.ts';
import { MOTION_KEYS } from './motion-keys.ts';
import { hash2 } from './prng.ts';
import type { KeyedMotion } from './motion-keys.ts';
import type { Pose } from './pose.ts';

/** Each of the two starts a blow this often, half of it apart, seconds. */
const BLOW_EVERY_S = 0.66;
/** And takes this long. */
const BLOW_S = 0.74;
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
  spine: 20,
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
 * One of two figures (`role` 0 or 1, the same seed for both) trading blows while they
 * circle. Both read the same list of blows, so one's answer belongs to the other's attack.
 */
export function fightPose(seconds: number, remainingS: number, seed: number, role: 0 | 1): Pose {
  let pose = stepAround(seconds, seed, role);
  // First what the other one does to me, then what I do: nobody waits for a blow to land.
  const other = role === 0 ? 1 : 0;
  for (const attacker of [other, role] as const) {
    const sinceFirstS = seconds - attacker * (BLOW_EVERY_S / 2);
    const latest = Math.floor(sinceFirstS / BLOW_EVERY_S);
    for (let blow = Math.max(0, latest - 1); blow <= latest; blow++) {
      const draw = (question: number): number => hash2(blow * 2 + attacker, question, seed);
      const share = (sinceFirstS - blow * BLOW_EVERY_S - 0.14 * draw(1)) / BLOW_S;
      if (share <= 0 || share >= 1) continue;
      const [attack, answer] = BLOWS[Math.floor(draw(3) * BLOWS.length)]!;
      const keyed = poseAt(MOTION_KEYS[attacker === role ? attack : answer], share);
      const moved = draw(4) < 0.6 ? keyed : mirrorPose(keyed);
      const weight = smoothStep(share / 0.3) * smoothStep((1 - share) / 0.4) * (attacker === role ? 1 : 0.7);
      const forward = pose.forward + moved.forward * 0.7;
      pose = blendPoses(pose, { ...moved, aside: moved.aside + pose.aside, yaw: pose.yaw, forward }, weight);
    }
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
    forward: (FIGHT_GAP / 2) * (1 - Math.cos(angle)) + (role === 0 ? 0.17 : -0.17) * sway,
    leftKnee: GUARD.leftKnee + 10 * bounce,
    rightKnee: GUARD.rightKnee + 10 * bounce,
    leftHip: GUARD.leftHip + 8 * bounce + 10 * sway,
    rightHip: GUARD.rightHip + 5 * bounce - 10 * sway,
    lean: 9 * sway,
  };
}
