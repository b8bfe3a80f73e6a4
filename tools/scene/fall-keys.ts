import { ON_BACK } from './seat-keys.ts';
import type { Key } from './keyframes.ts';
import type { Pose } from './pose.ts';

const FACE_DOWN: Partial<Pose> = {
  pitch: 86,
  forward: 0.72,
  spine: 2,
  nod: -12,
  look: 40,
  leftShoulder: 120,
  leftOut: 40,
  leftElbow: 60,
  rightShoulder: 30,
  rightOut: 30,
  rightElbow: 20,
  leftHip: 4,
  leftKnee: 12,
  rightHip: 30,
  rightSpread: 16,
  rightKnee: 48,
};
const FALLEN_BACK: Partial<Pose> = {
  ...ON_BACK,
  forward: -0.55,
  leftOut: 70,
  rightOut: 55,
  rightHip: 34,
  rightKnee: 58,
};
const ON_SIDE: Partial<Pose> = {
  roll: 84,
  aside: 0.6,
  spine: 14,
  nod: 10,
  leftShoulder: 60,
  leftElbow: 50,
  rightShoulder: 105,
  rightElbow: 30,
  leftHip: 50,
  leftKnee: 70,
  rightHip: 24,
  rightKnee: 40,
};

/**
 * Falling in three directions: a stumble, a drop that gathers speed, a little
 * bounce, and how one lies after it.
 */
export const FALL_KEYS = {
  fallForward: [
    [0, {}],
    [
      0.25,
      {
        spine: 16,
        leftHip: 34,
        leftKnee: 52,
        rightKnee: 40,
        leftShoulder: 50,
        rightShoulder: 62,
        pitch: 10,
        forward: 0.12,
      },
    ],
    [
      0.62,
      {
        ...FACE_DOWN,
        pitch: 76,
        leftShoulder: 112,
        rightShoulder: 104,
        leftElbow: 30,
        rightElbow: 28,
        forward: 0.62,
        rightKnee: 70,
      },
      'in',
    ],
    [0.74, { ...FACE_DOWN, pitch: 83, leftKnee: 34 }, 'out'],
    [1, FACE_DOWN],
  ],
  fallBackward: [
    [0, {}],
    [
      0.25,
      {
        spine: -14,
        leftHip: 26,
        leftKnee: 16,
        leftShoulder: 64,
        rightShoulder: 70,
        leftOut: 40,
        rightOut: 44,
        pitch: -10,
        forward: -0.1,
      },
    ],
    [
      0.6,
      {
        ...FALLEN_BACK,
        pitch: -72,
        leftHip: 62,
        leftKnee: 54,
        rightHip: 70,
        leftShoulder: 40,
        rightShoulder: 50,
        spine: 16,
      },
      'in',
    ],
    [0.75, { ...FALLEN_BACK, leftHip: 30, leftKnee: 30 }, 'out'],
    [1, FALLEN_BACK],
  ],
  fallSideways: [
    [0, {}],
    [0.25, { roll: 14, lean: 12, leftHip: 24, leftKnee: 36, leftOut: 64, rightOut: 46, aside: 0.1 }],
    [0.62, { ...ON_SIDE, roll: 72, leftOut: 80, rightOut: 40 }, 'in'],
    [0.75, { ...ON_SIDE, leftOut: 40 }, 'out'],
    [1, ON_SIDE],
  ],
  fallenForward: [[0, FACE_DOWN]],
  fallenBackward: [[0, FALLEN_BACK]],
  fallenSideways: [[0, ON_SIDE]],
} satisfies Record<string, readonly Key[]>;
