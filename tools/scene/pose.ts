/**
 * Joint angles in degrees, distances in metres for a body of 1.75 m. Zero
 * everywhere is standing at attention. `left` and `right` limbs: shoulder and
 * hip swing forward, Out away from the body, Turn points a bent elbow inward.
 */
export interface Pose {
  /** The whole body: tips forward, leans to the right, turns to the right. */
  readonly pitch: number;
  readonly roll: number;
  readonly yaw: number;
  /** The trunk over the hips. */
  readonly spine: number;
  readonly lean: number;
  readonly twist: number;
  readonly nod: number;
  readonly look: number;
  readonly leftShoulder: number;
  readonly leftOut: number;
  readonly leftTurn: number;
  readonly leftElbow: number;
  readonly rightShoulder: number;
  readonly rightOut: number;
  readonly rightTurn: number;
  readonly rightElbow: number;
  readonly leftHip: number;
  readonly leftSpread: number;
  readonly leftKnee: number;
  readonly rightHip: number;
  readonly rightSpread: number;
  readonly rightKnee: number;
  /** The hips, moved from the figure's place. */
  readonly forward: number;
  readonly aside: number;
  readonly lift: number;
}

export const STAND: Pose = {
  pitch: 0,
  roll: 0,
  yaw: 0,
  spine: 2,
  lean: 0,
  twist: 0,
  nod: 4,
  look: 0,
  leftShoulder: 2,
  leftOut: 9,
  leftTurn: 10,
  leftElbow: 14,
  rightShoulder: 2,
  rightOut: 9,
  rightTurn: 10,
  rightElbow: 14,
  leftHip: 2,
  leftSpread: 4,
  leftKnee: 4,
  rightHip: 2,
  rightSpread: 4,
  rightKnee: 4,
  forward: 0,
  aside: 0,
  lift: 0,
};

const JOINTS = Object.keys(STAND) as readonly (keyof Pose)[];

/** The pose between two poses: `share` 0 is `from`, 1 is `to`. */
export function blendPoses(from: Pose, to: Pose, share: number): Pose {
  if (share >= 1) return to;
  const blended: Record<string, number> = {};
  for (const joint of JOINTS) blended[joint] = from[joint] + (to[joint] - from[joint]) * share;
  return blended as unknown as Pose;
}

/** The same pose as seen in a mirror: a right punch becomes a left one. */
export function mirrorPose(pose: Pose): Pose {
  return {
    ...pose,
    roll: -pose.roll,
    yaw: -pose.yaw,
    lean: -pose.lean,
    twist: -pose.twist,
    look: -pose.look,
    aside: -pose.aside,
    leftShoulder: pose.rightShoulder,
    leftOut: pose.rightOut,
    leftTurn: pose.rightTurn,
    leftElbow: pose.rightElbow,
    rightShoulder: pose.leftShoulder,
    rightOut: pose.leftOut,
    rightTurn: pose.leftTurn,
    rightElbow: pose.leftElbow,
    leftHip: pose.rightHip,
    leftSpread: pose.rightSpread,
    leftKnee: pose.rightKnee,
    rightHip: pose.leftHip,
    rightSpread: pose.leftSpread,
    rightKnee: pose.leftKnee,
  };
}
