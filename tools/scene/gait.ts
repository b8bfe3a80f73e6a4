import { blendPoses, STAND } from './pose.ts';
import { smoothStep } from './keyframes.ts';
import type { Pose } from './pose.ts';

/** Two steps cover this at 1.2 m/s, metres; longer when faster. */
const STRIDE_AT_NORMAL_SPEED = 1.3;
/** Limbs take this long to swing fully, and to come to rest, seconds. */
const START_S = 0.22;

/** Walking: the limbs follow the distance walked, so feet stay where they are set down. Speed in m/s. */
export function walkPose(walk: {
  readonly distance: number;
  readonly speed: number;
  readonly sinceStartS: number;
  readonly untilEndS: number;
  readonly swing: number;
}): Pose {
  const speed = Math.max(0.3, walk.speed);
  const stride = STRIDE_AT_NORMAL_SPEED * Math.sqrt(speed / 1.2);
  const phase = (2 * Math.PI * walk.distance) / stride;
  const reach = (Math.asin(Math.min(0.75, stride / 4 / 0.85)) * 180) / Math.PI;
  const hip = (angle: number): number => 4 + reach * Math.sin(angle);
  const knee = (angle: number): number => 7 + 52 * Math.max(0, Math.cos(angle + 0.25)) ** 1.5;
  const arm = (angle: number): number => -2 + walk.swing * reach * Math.sin(angle);
  const stepping: Pose = {
    ...STAND,
    spine: 4 + speed * 1.5,
    twist: -5 * Math.sin(phase),
    leftHip: hip(phase),
    leftKnee: knee(phase),
    rightHip: hip(phase + Math.PI),
    rightKnee: knee(phase + Math.PI),
    leftShoulder: arm(phase + Math.PI),
    rightShoulder: arm(phase),
    leftElbow: 22 + 8 * Math.sin(phase + Math.PI),
    rightElbow: 22 + 8 * Math.sin(phase),
  };
  const swung = smoothStep(walk.sinceStartS / START_S) * smoothStep(walk.untilEndS / START_S);
  return blendPoses(STAND, stepping, 0.35 + 0.65 * swung);
}
