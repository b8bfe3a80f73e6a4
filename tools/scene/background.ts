import { rayThrough } from './camera.ts';
import { shadeTexture } from './texture.ts';
import { dot, normalise, subtract } from './vector.ts';
import type { Camera } from './camera.ts';
import type { Grade } from './grade.ts';
import type { Box, Room } from './room.ts';
import type { Texture } from './texture.ts';
import type { Vector } from './vector.ts';

/** Everything that does not move, computed once a scene. */
export interface Background {
  /** Colour under even light of level one, and what the lamp at level one adds: width × height × 3. */
  readonly even: Float32Array;
  readonly lamp: Float32Array;
  /** Depth along the optical axis, metres: width × height. */
  readonly depth: Float32Array;
  /** World x and z of the floor seen at a pixel; NaN where something else is seen. */
  readonly floorX: Float32Array;
  readonly floorZ: Float32Array;
}

interface Hit {
  readonly distance: number;
  readonly normal: Vector;
  readonly texture: Texture;
  readonly u: number;
  readonly v: number;
  readonly isFloor: boolean;
  readonly dim: number;
}

/** Rays per pixel, along each side. */
const SAMPLES = 2;
const CORRIDOR_DEPTH = 1.5;

export function renderBackground(
  scene: {
    readonly room: Room;
    readonly camera: Camera;
    readonly stage: { x: number; z: number };
    readonly grade: Grade;
  },
  width: number,
  height: number,
): Background {
  const pixels = width * height;
  const background: Background = {
    even: new Float32Array(pixels * 3),
    lamp: new Float32Array(pixels * 3),
    depth: new Float32Array(pixels),
    floorX: new Float32Array(pixels).fill(NaN),
    floorZ: new Float32Array(pixels).fill(NaN),
  };
  const { room, camera } = scene;
  const lampAt = createLampLevel(room, scene.stage);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x;
      for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
        const dx = ((sample % SAMPLES) + 0.5) / SAMPLES;
        const dy = (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES;
        const direction = rayThrough(camera, x + dx, y + dy);
        const hit = castRay(room, camera.position, direction);
        const point = along(camera.position, direction, hit.distance);
        const shade =
          (shadeTexture(hit.texture, hit.u, hit.v) * hit.dim * scene.grade.vignette(x / width, y / height)) /
          SAMPLES ** 2;
        const even = shade * nearness(room, point, hit);
        const lit = shade * lampAt(point, hit.normal, true);
        const colour = scene.grade.colour(hit.texture.colour);
        for (let channel = 0; channel < 3; channel++) {
          background.even[pixel * 3 + channel]! += colour[channel]! * even;
          background.lamp[pixel * 3 + channel]! += colour[channel]! * lit;
        }
      }
      const direction = rayThrough(camera, x + 0.5, y + 0.5);
      const centre = castRay(room, camera.position, direction);
      background.depth[pixel] = centre.distance;
      if (centre.isFloor) {
        const point = along(camera.position, direction, centre.distance);
        background.floorX[pixel] = point[0];
        background.floorZ[pixel] = point[2];
      }
    }
  }
  return background;
}

/** How much of the lamp reaches a point: one on the floor in the middle of the stage; a point light with furniture in its way. */
export function createLampLevel(
  room: Room,
  stage: { readonly x: number; readonly z: number },
): (point: Vector, normal: Vector, shadowed: boolean) => number {
  const toStage = subtract([stage.x, 0, stage.z], room.lamp);
  const reference = dot(toStage, toStage);
  return (point, normal, shadowed) => {
    const toLamp = subtract(room.lamp, point);
    const squared = dot(toLamp, toLamp);
    const facing = Math.max(0, dot(normalise(toLamp), normal));
    const level = facing * Math.min(2, reference / squared);
    if (!shadowed || level === 0) return level;
    return room.boxes.some((box) => blocks(box, point, toLamp)) ? level * 0.15 : level;
  };
}

function castRay(room: Room, origin: Vector, direction: Vector): Hit {
  let nearest = hitShell(room, origin, direction);
  for (const box of room.boxes) {
    const hit = hitBox(box, origin, direction);
    if (hit !== undefined && hit.distance < nearest.distance) nearest = hit;
  }
  return nearest;
}

/** Floor, walls and ceiling seen from inside; through the door, the corridor behind it. */
function hitShell(room: Room, origin: Vector, direction: Vector, beyondDoor = false): Hit {
  const far = beyondDoor ? room.z1 + CORRIDOR_DEPTH : room.z1;
  const sides = [
    direction[0] > 0 ? room.x1 : room.x0,
    direction[1] > 0 ? room.height : 0,
    direction[2] > 0 ? far : room.z0,
  ] as const;
  const distances = sides.map((side, axis) => (side - origin[axis]!) / (direction[axis]! || 1e-9));
  const distance = Math.min(...distances);
  const axis = distances.indexOf(distance);
  const [x, y, z] = along(origin, direction, distance);
  const { door } = room;
  const inDoor =
    axis === 2 && z > room.z0 + 1 && door !== undefined && x > door.x0 && x < door.x1 && y < door.height;
  if (inDoor && !beyondDoor) return hitShell(room, origin, direction, true);
  const normal: Vector = [
    axis === 0 ? -Math.sign(direction[0]) : 0,
    axis === 1 ? -Math.sign(direction[1]) : 0,
    axis === 2 ? -Math.sign(direction[2]) : 0,
  ];
  const common = { distance, normal, dim: beyondDoor ? 0.5 : 1 };
  if (axis === 1) {
    const isFloor = direction[1] < 0;
    return { ...common, texture: isFloor ? room.floor : room.wall, u: x, v: z, isFloor };
  }
  const skirting = y < 0.09 && room.height < 10 ? 0.7 : 1;
  return {
    ...common,
    texture: room.wall,
    u: axis === 0 ? z : x,
    v: y,
    isFloor: false,
    dim: common.dim * skirting,
  };
}

function hitBox({ min, max, texture }: Box, origin: Vector, direction: Vector): Hit | undefined {
  let [enter, leave, axis] = [0, Infinity, -1];
  for (let i = 0; i < 3; i++) {
    const inverse = 1 / (direction[i]! || 1e-9);
    const a = (min[i]! - origin[i]!) * inverse;
    const b = (max[i]! - origin[i]!) * inverse;
    if (Math.min(a, b) > enter) [enter, axis] = [Math.min(a, b), i];
    leave = Math.min(leave, Math.max(a, b));
  }
  if (axis < 0 || enter >= leave) return undefined;
  const point = along(origin, direction, enter);
  const facing = -Math.sign(direction[axis]!);
  const normal: Vector = [axis === 0 ? facing : 0, axis === 1 ? facing : 0, axis === 2 ? facing : 0];
  const [u, v] = [axis === 0 ? point[2] : point[0], axis === 1 ? point[2] : point[1]];
  return { distance: enter, normal, texture, u, v, isFloor: false, dim: axis === 1 ? 1.1 : 0.92 };
}

function blocks(box: Box, point: Vector, toLamp: Vector): boolean {
  const start = along(point, toLamp, 0.004);
  const hit = hitBox(box, start, toLamp);
  return hit !== undefined && hit.distance < 1;
}

/** Even light is weaker in corners and low on walls: what makes a room look like one. */
function nearness(room: Room, [x, y, z]: Vector, { normal }: Hit): number {
  const gap = (distance: number): number => 1 - 0.3 * Math.exp(-Math.max(0, distance) / 0.35);
  const sides = gap(x - room.x0) * gap(room.x1 - x) * gap(z - room.z0) * gap(Math.abs(room.z1 - z));
  const own = Math.abs(normal[0]) + Math.abs(normal[2]) > 0.5 ? gap(y) * 0.88 : 1;
  return (sides * own) / 0.7 ** (Math.abs(normal[0]) + Math.abs(normal[2]) > 0.5 ? 0.6 : 0);
}

function along(origin: Vector, direction: Vector, distance: number): Vector {
  return [
    origin[0] + direction[0] * distance,
    origin[1] + direction[1] * distance,
    origin[2] + direction[2] * distance,
  ];
}
