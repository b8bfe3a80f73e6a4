import type { Key } from './keyframes.ts';
import type { Pose } from './pose.ts';

const SEATED: Partial<Pose> = {
  forward: -0.42,
  spine: 6,
  leftHip: 86,
  leftKnee: 88,
  leftSpread: 7,
  rightHip: 86,
  rightKnee: 88,
  rightSpread: 7,
  leftShoulder: 26,
  leftElbow: 48,
  rightShoulder: 26,
  rightElbow: 48,
};
const FLOOR_SEATED: Partial<Pose> = {
  spine: 14,
  leftHip: 100,
  leftKnee: 42,
  rightHip: 104,
  rightKnee: 60,
  leftShoulder: 18,
  leftElbow: 30,
  rightShoulder: 22,
  rightElbow: 36,
};
export const ON_BACK: Partial<Pose> = {
  pitch: -90,
  spine: 0,
  nod: 8,
  leftHip: 4,
  leftKnee: 8,
  rightHip: 16,
  rightKnee: 28,
  leftSpread: 9,
  rightSpread: 9,
  leftOut: 24,
  rightOut: 38,
  leftShoulder: 0,
  rightShoulder: 4,
  leftElbow: 18,
  rightElbow: 55,
};

/** Sitting down, lying down and getting up again. */
export const SEAT_KEYS = {
  sitDown: [
    [0, {}],
    [
      0.45,
      {
        forward: -0.2,
        spine: 36,
        leftHip: 62,
        leftKnee: 62,
        rightHip: 62,
        rightKnee: 62,
        leftShoulder: 34,
        rightShoulder: 34,
      },
    ],
    [0.8, { ...SEATED, spine: 18 }],
    [1, SEATED],
  ],
  sit: [[0, SEATED]],
  standUp: [
    [0, SEATED],
    [0.3, { ...SEATED, spine: 42, leftShoulder: 50, rightShoulder: 50 }],
    [0.65, { forward: -0.14, spine: 30, leftHip: 48, leftKnee: 50, rightHip: 48, rightKnee: 50 }],
    [1, {}],
  ],
  floorSitDown: [
    [0, {}],
    [
      0.5,
      {
        spine: 34,
        leftHip: 88,
        leftKnee: 118,
        rightHip: 96,
        rightKnee: 112,
        leftShoulder: 40,
        rightShoulder: -30,
        rightElbow: 5,
      },
    ],
    [0.8, { ...FLOOR_SEATED, rightShoulder: -34, rightElbow: 4 }],
    [1, FLOOR_SEATED],
  ],
  floorSit: [[0, FLOOR_SEATED]],
  floorStandUp: [
    [0, FLOOR_SEATED],
    [
      0.3,
      {
        spine: 44,
        leftHip: 96,
        leftKnee: 124,
        rightHip: 70,
        rightKnee: 110,
        leftShoulder: 50,
        rightShoulder: -20,
      },
    ],
    [0.65, { spine: 36, leftHip: 60, leftKnee: 66, rightHip: 30, rightKnee: 60 }],
    [1, {}],
  ],
  lieDown: [
    [0, FLOOR_SEATED],
    [
      0.4,
      { ...ON_BACK, pitch: -48, leftHip: 40, rightHip: 52, leftShoulder: -40, rightShoulder: -40, spine: 18 },
    ],
    [0.75, { ...ON_BACK, leftHip: 12 }],
    [1, ON_BACK],
  ],
  lie: [[0, ON_BACK]],
} satisfies Record<string, readonly Key[]>;
