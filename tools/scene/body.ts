import { add, apply, multiply, rotateX, rotateY, rotateZ, scale } from './vector.ts';
import type { Random } from './prng.ts';
import type { Pose } from './pose.ts';
import type { Colour } from './texture.ts';
import type { Matrix, Vector } from './vector.ts';

/** Who a figure is: sizes and clothes. */
export interface Body {
  /** Standing height, metres. */
  readonly height: number;
  /** Thickness of limbs and trunk, 1 is average. */
  readonly girth: number;
  readonly skin: Colour;
  readonly hair: Colour;
  readonly shirt: Colour;
  readonly trousers: Colour;
  readonly shoes: Colour;
  readonly longSleeves: boolean;
  readonly shorts: boolean;
}

/** A limb: a rounded cone. The first colour covers `split` of its length, the second the rest. */
export interface Capsule {
  readonly from: Vector;
  readonly to: Vector;
  readonly fromRadius: number;
  readonly toRadius: number;
  readonly colour: Colour;
  readonly endColour: Colour;
  readonly split: number;
}

const SKINS: readonly Colour[] = [
  [226, 180, 150],
  [205, 155, 122],
  [160, 112, 82],
  [108, 74, 56],
];
const HAIRS: readonly Colour[] = [
  [28, 24, 22],
  [62, 42, 28],
  [120, 88, 52],
  [96, 94, 92],
];
const SHIRTS: readonly Colour[] = [
  [222, 222, 218],
  [34, 34, 40],
  [150, 40, 38],
  [60, 92, 150],
  [92, 96, 100],
  [206, 190, 120],
  [112, 62, 40],
  [52, 110, 76],
  [150, 176, 206],
];
const TROUSERS: readonly Colour[] = [
  [30, 32, 40],
  [52, 70, 108],
  [110, 100, 84],
  [70, 72, 76],
  [38, 44, 62],
];
const SHOES: readonly Colour[] = [
  [26, 24, 24],
  [205, 205, 200],
  [84, 58, 42],
];

export function describeBody(random: Random): Body {
  return {
    height: random.range(1.56, 1.92),
    girth: random.range(0.88, 1.2),
    skin: random.pick(SKINS),
    hair: random.pick(HAIRS),
    shirt: random.pick(SHIRTS),
    trousers: random.pick(TROUSERS),
    shoes: random.pick(SHOES),
    longSleeves: random.chance(0.45),
    shorts: random.chance(0.15),
  };
}

/**
 * The limbs of a body in a pose, at a place on the floor, its lowest point
 * resting on the floor (or `lift` above it).
 */
export function bodyCapsules(
  body: Body,
  pose: Pose,
  place: { x: number; z: number; heading: number },
): Capsule[] {
  const unit = body.height / 1.75;
  const facing = rotateY((place.heading * 180) / Math.PI);
  const limbs = buildLimbs(body, pose, facing, unit);
  let lowest = Infinity;
  for (const limb of limbs) {
    lowest = Math.min(lowest, limb.from[1] - limb.fromRadius, limb.to[1] - limb.toRadius);
  }
  const shift = add(
    [place.x, pose.lift - lowest, place.z],
    apply(facing, [pose.aside * unit, 0, pose.forward * unit]),
  );
  return limbs.map((limb) => ({ ...limb, from: add(limb.from, shift), to: add(limb.to, shift) }));
}

function buildLimbs(body: Body, pose: Pose, facing: Matrix, unit: number): Capsule[] {
  const hips = chain(facing, rotateY(pose.yaw), rotateX(pose.pitch), rotateZ(-pose.roll));
  const waist = chain(hips, rotateX(pose.spine / 2), rotateZ(-pose.lean / 2), rotateY(pose.twist / 2));
  const chest = chain(waist, rotateX(pose.spine / 2), rotateZ(-pose.lean / 2), rotateY(pose.twist / 2));
  const at = (origin: Vector, frame: Matrix, x: number, y: number, z: number): Vector =>
    add(origin, scale(apply(frame, [x, y, z]), unit));
  const limb = (from: Vector, to: Vector, fromRadius: number, toRadius: number, colour: Colour): Capsule => ({
    from,
    to,
    fromRadius: fromRadius * unit * body.girth,
    toRadius: toRadius * unit * body.girth,
    colour,
    endColour: colour,
    split: 1,
  });

  const pelvis: Vector = [0, 0, 0];
  const belly = at(pelvis, waist, 0, 0.24, 0);
  const neck = at(belly, chest, 0, 0.27, 0);
  const skull = chain(chest, rotateX(pose.nod), rotateY(pose.look));
  const limbs = [
    limb(at(pelvis, hips, -0.075, 0, 0), at(pelvis, hips, 0.075, 0, 0), 0.112, 0.112, body.trousers),
    limb(at(pelvis, hips, -0.055, 0.06, 0), at(belly, waist, -0.06, 0, 0), 0.105, 0.102, body.shirt),
    limb(at(pelvis, hips, 0.055, 0.06, 0), at(belly, waist, 0.06, 0, 0), 0.105, 0.102, body.shirt),
    limb(at(belly, waist, -0.06, 0, 0), at(neck, chest, -0.085, -0.1, 0), 0.102, 0.108, body.shirt),
    limb(at(belly, waist, 0.06, 0, 0), at(neck, chest, 0.085, -0.1, 0), 0.102, 0.108, body.shirt),
    limb(at(neck, chest, -0.15, -0.055, 0), at(neck, chest, 0.15, -0.055, 0), 0.07, 0.07, body.shirt),
    limb(at(neck, chest, 0, -0.02, 0), at(neck, skull, 0, 0.1, 0.01), 0.055, 0.05, body.skin),
    limb(at(neck, skull, 0, 0.13, 0.025), at(neck, skull, 0, 0.2, 0.015), 0.085, 0.095, body.skin),
    limb(at(neck, skull, 0, 0.17, -0.03), at(neck, skull, 0, 0.225, 0.005), 0.095, 0.1, body.hair),
  ];
  for (const side of [-1, 1] as const) {
    const l = side < 0;
    const arm = chain(
      chest,
      rotateX(-(l ? pose.leftShoulder : pose.rightShoulder)),
      rotateZ(side * (l ? pose.leftOut : pose.rightOut)),
    );
    const forearm = chain(
      arm,
      rotateY(-side * (l ? pose.leftTurn : pose.rightTurn)),
      rotateX(-(l ? pose.leftElbow : pose.rightElbow)),
    );
    const shoulder = at(neck, chest, side * 0.185, -0.06, 0);
    const elbow = at(shoulder, arm, 0, -0.29, 0);
    const wrist = at(elbow, forearm, 0, -0.25, 0);
    limbs.push(
      {
        ...limb(shoulder, elbow, 0.058, 0.047, body.shirt),
        endColour: body.longSleeves ? body.shirt : body.skin,
        split: 0.6,
      },
      limb(elbow, wrist, 0.045, 0.035, body.longSleeves ? body.shirt : body.skin),
      limb(wrist, at(wrist, forearm, 0, -0.1, 0), 0.038, 0.036, body.skin),
    );

    const thigh = chain(
      hips,
      rotateX(-(l ? pose.leftHip : pose.rightHip)),
      rotateZ(side * (l ? pose.leftSpread : pose.rightSpread)),
    );
    const shin = chain(thigh, rotateX(l ? pose.leftKnee : pose.rightKnee));
    const hip = at(pelvis, hips, side * 0.095, -0.03, 0);
    const knee = at(hip, thigh, 0, -0.42, 0);
    const ankle = at(knee, shin, 0, -0.4, 0);
    limbs.push(
      limb(hip, knee, 0.09, 0.065, body.trousers),
      { ...limb(knee, ankle, 0.063, 0.048, body.shorts ? body.skin : body.trousers) },
      limb(at(ankle, shin, 0, -0.03, -0.03), at(ankle, shin, 0, -0.04, 0.15), 0.048, 0.036, body.shoes),
    );
  }
  return limbs;
}

function chain(...rotations: readonly Matrix[]): Matrix {
  return rotations.reduce(multiply);
}
