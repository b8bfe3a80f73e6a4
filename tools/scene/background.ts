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

/** What a ray met. One record is filled again and again: a background takes half a million rays. */
interface Hit {
  distance: number;
  /** 0, 1, 2 for a surface across x, y, z; it faces the negative or positive way. */
  axis: number;
  facing: number;
  texture: Texture;
  u: number;
  v: number;
  isFloor: boolean;
  dim: number;
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
  const textures = [room.floor, room.wall, ...room.boxes.map((box) => box.texture)];
  const graded = new Map(textures.map((texture) => [texture, scene.grade.colour(texture.colour)]));
  const hit = emptyHit(room.floor);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x;
      for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
        const dx = ((sample % SAMPLES) + 0.5) / SAMPLES;
        const dy = (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES;
        const direction = rayThrough(camera, x + dx, y + dy);
        castRay(room, camera.position, direction, hit);
        const point = along(camera.position, direction, hit.distance);
        const grain = shadeTexture(hit.texture, hit.u, hit.v) * hit.dim;
        const shade = (grain * scene.grade.vignette(x / width, y / height)) / SAMPLES ** 2;
        const even = shade * nearness(room, point[0], point[1], point[2], hit.axis);
        const lit = shade * lampAt(point, axisVector(hit.axis, hit.facing), true);
        const colour = graded.get(hit.texture)!;
        for (let channel = 0; channel < 3; channel++) {
          background.even[pixel * 3 + channel]! += colour[channel]! * even;
          background.lamp[pixel * 3 + channel]! += colour[channel]! * lit;
        }
      }
      const direction = rayThrough(camera, x + 0.5, y + 0.5);
      castRay(room, camera.position, direction, hit);
      background.depth[pixel] = hit.distance;
      if (hit.isFloor) {
        background.floorX[pixel] = camera.position[0] + direction[0] * hit.distance;
        background.floorZ[pixel] = camera.position[2] + direction[2] * hit.distance;
      }
    }
  }
  return background;
}

/**
 * How much of the lamp reaches a point: one on the floor in the middle of the
 * stage; a point light with furniture in its way.
 */
export function createLampLevel(
  room: Room,
  stage: { readonly x: number; readonly z: number },
): (point: Vector, normal: Vector, shadowed: boolean) => number {
  const toStage = subtract([stage.x, 0, stage.z], room.lamp);
  const reference = dot(toStage, toStage);
  const between = emptyHit(room.floor);
  return (point, normal, shadowed) => {
    const toLamp = subtract(room.lamp, point);
    const squared = dot(toLamp, toLamp);
    const facing = Math.max(0, dot(normalise(toLamp), normal));
    const level = facing * Math.min(2, reference / squared);
    if (!shadowed || level === 0) return level;
    const start = along(point, toLamp, 0.004);
    between.distance = 1;
    for (const box of room.boxes) hitBox(box, start, toLamp, between);
    return between.distance < 1 ? level * 0.15 : level;
  };
}

function castRay(room: Room, origin: Vector, direction: Vector, hit: Hit): void {
  hitShell(room, origin, direction, room.z1, hit);
  for (const box of room.boxes) hitBox(box, origin, direction, hit);
}

/** Floor, walls and ceiling seen from inside; through the door, the corridor that ends at `far`. */
function hitShell(room: Room, origin: Vector, direction: Vector, far: number, hit: Hit): void {
  const toSide = planeDistance(direction[0] > 0 ? room.x1 : room.x0, origin[0], direction[0]);
  const toLevel = planeDistance(direction[1] > 0 ? room.height : 0, origin[1], direction[1]);
  const toEnd = planeDistance(direction[2] > 0 ? far : room.z0, origin[2], direction[2]);
  hit.distance = Math.min(toSide, toLevel, toEnd);
  hit.axis = hit.distance === toSide ? 0 : hit.distance === toLevel ? 1 : 2;
  const x = origin[0] + direction[0] * hit.distance;
  const y = origin[1] + direction[1] * hit.distance;
  const z = origin[2] + direction[2] * hit.distance;
  const { door } = room;
  const inCorridor = far > room.z1;
  const atFarWall = hit.axis === 2 && direction[2] > 0;
  if (!inCorridor && atFarWall && door !== undefined && x > door.x0 && x < door.x1 && y < door.height) {
    hitShell(room, origin, direction, room.z1 + CORRIDOR_DEPTH, hit);
    return;
  }
  hit.facing = -Math.sign(direction[hit.axis]!);
  hit.isFloor = hit.axis === 1 && direction[1] < 0;
  hit.texture = hit.isFloor ? room.floor : room.wall;
  hit.u = hit.axis === 0 ? z : x;
  hit.v = hit.axis === 1 ? z : y;
  const skirting = hit.axis !== 1 && y < 0.09 && room.height < 10 ? 0.7 : 1;
  hit.dim = skirting * (inCorridor ? 0.5 : 1);
}

function planeDistance(plane: number, origin: number, direction: number): number {
  return (plane - origin) / (direction || 1e-9);
}

/** Takes the box as the hit where it is nearer than the hit so far. */
function hitBox({ min, max, texture }: Box, origin: Vector, direction: Vector, hit: Hit): void {
  let enter = 0;
  let leave = hit.distance;
  let axis = -1;
  for (let i = 0; i < 3; i++) {
    const inverse = 1 / (direction[i]! || 1e-9);
    const a = (min[i]! - origin[i]!) * inverse;
    const b = (max[i]! - origin[i]!) * inverse;
    const near = a < b ? a : b;
    if (near > enter) {
      enter = near;
      axis = i;
    }
    leave = Math.min(leave, a < b ? b : a);
  }
  if (axis < 0 || enter >= leave) return;
  hit.distance = enter;
  hit.axis = axis;
  hit.facing = -Math.sign(direction[axis]!);
  hit.texture = texture;
  hit.u = axis === 0 ? origin[2] + direction[2] * enter : origin[0] + direction[0] * enter;
  hit.v = axis === 1 ? origin[2] + direction[2] * enter : origin[1] + direction[1] * enter;
  hit.isFloor = false;
  hit.dim = axis === 1 ? 1.1 : 0.92;
}

/** Even light is weaker in corners and low on walls: what makes a room look like one. */
function nearness(room: Room, x: number, y: number, z: number, axis: number): number {
  const sides =
    gapLight(x - room.x0) * gapLight(room.x1 - x) * gapLight(z - room.z0) * gapLight(Math.abs(room.z1 - z));
  // On a wall its own distance is zero all over: take most of that factor out again.
  return axis === 1 ? sides : (sides * gapLight(y) * 0.88) / 0.7 ** 0.6;
}

function gapLight(distance: number): number {
  return distance > 2 ? 1 : 1 - 0.3 * Math.exp(-Math.max(0, distance) / 0.35);
}

function emptyHit(texture: Texture): Hit {
  return { distance: Infinity, axis: 0, facing: 1, texture, u: 0, v: 0, isFloor: false, dim: 1 };
}

function axisVector(axis: number, length: number): Vector {
  return [axis === 0 ? length : 0, axis === 1 ? length : 0, axis === 2 ? length : 0];
}

function along(origin: Vector, direction: Vector, distance: number): Vector {
  return [
    origin[0] + direction[0] * distance,
    origin[1] + direction[1] * distance,
    origin[2] + direction[2] * distance,
  ];
}
