import { cross, dot, normalise, subtract } from './vector.ts';
import type { Vector } from './vector.ts';

/** A pinhole camera. `focal` is in pixels, so projecting needs no size. */
export interface Camera {
  readonly position: Vector;
  readonly right: Vector;
  readonly up: Vector;
  readonly forward: Vector;
  readonly focal: number;
  readonly centreX: number;
  readonly centreY: number;
}

/** Pixel position and the depth along the optical axis, in metres. */
export interface Projected {
  readonly x: number;
  readonly y: number;
  readonly depth: number;
}

/**
 * `fieldOfView` is vertical, in degrees. A camera that looks straight down has
 * the top of its frame towards +z.
 */
export function createCamera(options: {
  readonly position: Vector;
  readonly target: Vector;
  readonly fieldOfView: number;
  readonly width: number;
  readonly height: number;
}): Camera {
  const forward = normalise(subtract(options.target, options.position));
  const worldUp: Vector = Math.abs(forward[1]) > 0.99 ? [0, 0, 1] : [0, 1, 0];
  const right = normalise(cross(worldUp, forward));
  const focal = options.height / 2 / Math.tan((options.fieldOfView * Math.PI) / 360);
  return {
    position: options.position,
    right,
    up: cross(forward, right),
    forward,
    focal,
    centreX: options.width / 2,
    centreY: options.height / 2,
  };
}

export function project(camera: Camera, point: Vector): Projected {
  const offset = subtract(point, camera.position);
  const depth = dot(offset, camera.forward);
  const perMetre = camera.focal / Math.max(depth, 0.05);
  return {
    x: camera.centreX + dot(offset, camera.right) * perMetre,
    y: camera.centreY - dot(offset, camera.up) * perMetre,
    depth,
  };
}

/**
 * Direction through a pixel, scaled so that its length along the optical axis is one: hit distance is depth.
 */
export function rayThrough(camera: Camera, x: number, y: number): Vector {
  const u = (x - camera.centreX) / camera.focal;
  const v = (camera.centreY - y) / camera.focal;
  const axis = (i: 0 | 1 | 2): number => camera.forward[i] + camera.right[i] * u + camera.up[i] * v;
  return [axis(0), axis(1), axis(2)];
}
