/** Metres, y up, z away from the camera's wall, x to the right: a left-handed frame. */
export type Vector = readonly [number, number, number];

/** Rotation as rows. */
export type Matrix = readonly [Vector, Vector, Vector];

const DEGREES = Math.PI / 180;

export function add(a: Vector, b: Vector): Vector {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

export function subtract(a: Vector, b: Vector): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

export function scale(a: Vector, factor: number): Vector {
  return [a[0] * factor, a[1] * factor, a[2] * factor];
}

export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function normalise(a: Vector): Vector {
  return scale(a, 1 / Math.hypot(...a));
}

export function apply(m: Matrix, v: Vector): Vector {
  return [dot(m[0], v), dot(m[1], v), dot(m[2], v)];
}

export function multiply(a: Matrix, b: Matrix): Matrix {
  const columns = [0, 1, 2].map((c): Vector => [b[0][c]!, b[1][c]!, b[2][c]!]);
  const row = (r: Vector): Vector => [dot(r, columns[0]!), dot(r, columns[1]!), dot(r, columns[2]!)];
  return [row(a[0]), row(a[1]), row(a[2])];
}

/** About the sideways axis: positive tips up towards forward. Angles in degrees. */
export function rotateX(degrees: number): Matrix {
  const [s, c] = [Math.sin(degrees * DEGREES), Math.cos(degrees * DEGREES)];
  return [
    [1, 0, 0],
    [0, c, -s],
    [0, s, c],
  ];
}

/** About the upright axis: positive turns forward towards +x (to the right). Angles in degrees. */
export function rotateY(degrees: number): Matrix {
  const [s, c] = [Math.sin(degrees * DEGREES), Math.cos(degrees * DEGREES)];
  return [
    [c, 0, s],
    [0, 1, 0],
    [-s, 0, c],
  ];
}

/** About the forward axis: positive swings a hanging limb towards +x. Angles in degrees. */
export function rotateZ(degrees: number): Matrix {
  const [s, c] = [Math.sin(degrees * DEGREES), Math.cos(degrees * DEGREES)];
  return [
    [c, -s, 0],
    [s, c, 0],
    [0, 0, 1],
  ];
}
