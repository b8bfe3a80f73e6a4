import { project } from './camera.ts';
import { dot, scale } from './vector.ts';
import type { Capsule } from './body.ts';
import type { Camera, Projected } from './camera.ts';
import type { Colour } from './texture.ts';
import type { Vector } from './vector.ts';

/** A frame being drawn: rgb24 and the depth of what is seen, metres. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8ClampedArray;
  readonly depth: Float32Array;
}

export interface Shading {
  /** Towards the lamp, unit length, world axes. */
  readonly towardsLamp: Vector;
  readonly ambient: number;
  readonly lamp: number;
  readonly colour: (colour: Colour) => Colour;
}

/** A limb may sink this far into what it rests on, metres: a person sits on a chair, not in it. */
const DEPTH_SLACK_M = 0.03;

/** Draws limbs as shaded rounded cones with soft edges, hidden by whatever is nearer. */
export function drawCapsules(
  canvas: Canvas,
  camera: Camera,
  capsules: readonly Capsule[],
  shading: Shading,
): void {
  const light: Vector = [
    dot(shading.towardsLamp, camera.right),
    -dot(shading.towardsLamp, camera.up),
    dot(scale(shading.towardsLamp, -1), camera.forward),
  ];
  const drawn = capsules
    .map((capsule) => ({ capsule, from: project(camera, capsule.from), to: project(camera, capsule.to) }))
    .filter(({ from, to }) => Math.min(from.depth, to.depth) > 0.3)
    // Far ones first: a soft edge then mixes with what is really behind it.
    .sort((a, b) => b.from.depth + b.to.depth - a.from.depth - a.to.depth);
  for (const { capsule, from, to } of drawn)
    drawCapsule(canvas, camera.focal, { capsule, from, to }, shading, light);
}

function drawCapsule(
  { width, height, pixels, depth }: Canvas,
  focal: number,
  { capsule, from, to }: { readonly capsule: Capsule; readonly from: Projected; readonly to: Projected },
  shading: Shading,
  light: Vector,
): void {
  const fromRadius = (capsule.fromRadius * focal) / from.depth;
  const toRadius = (capsule.toRadius * focal) / to.depth;
  const left = Math.max(0, Math.floor(Math.min(from.x - fromRadius, to.x - toRadius) - 1));
  const right = Math.min(width - 1, Math.ceil(Math.max(from.x + fromRadius, to.x + toRadius) + 1));
  const top = Math.max(0, Math.floor(Math.min(from.y - fromRadius, to.y - toRadius) - 1));
  const bottom = Math.min(height - 1, Math.ceil(Math.max(from.y + fromRadius, to.y + toRadius) + 1));
  const [axisX, axisY] = [to.x - from.x, to.y - from.y];
  const inverseLength = 1 / Math.max(1e-6, axisX * axisX + axisY * axisY);
  const colours = [shading.colour(capsule.colour), shading.colour(capsule.endColour)] as const;

  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const [px, py] = [x + 0.5 - from.x, y + 0.5 - from.y];
      const share = Math.min(1, Math.max(0, (px * axisX + py * axisY) * inverseLength));
      const radius = fromRadius + (toRadius - fromRadius) * share;
      const [offX, offY] = [px - axisX * share, py - axisY * share];
      const squared = offX * offX + offY * offY;
      if (squared > (radius + 0.5) * (radius + 0.5)) continue;

      const across = Math.min(1, squared / (radius * radius));
      const bulge = Math.sqrt(1 - across);
      const axisDepth = from.depth + (to.depth - from.depth) * share;
      const surface = axisDepth - bulge * ((radius * axisDepth) / focal);
      const pixel = y * width + x;
      if (surface - DEPTH_SLACK_M > depth[pixel]!) continue;

      const facing = (offX * light[0] + offY * light[1]) / radius + bulge * light[2];
      // Cloth scatters light around a limb: full darkness away from the lamp
      // would make joints look like a robot's.
      const level = shading.ambient * (0.84 + 0.16 * bulge) + shading.lamp * (0.45 + 0.55 * facing);
      const cover = Math.min(1, radius + 0.5 - Math.sqrt(squared));
      const colour = colours[share > capsule.split ? 1 : 0];
      for (let channel = 0; channel < 3; channel++) {
        const i = pixel * 3 + channel;
        pixels[i] = pixels[i]! + (colour[channel]! * level - pixels[i]!) * cover;
      }
      if (cover > 0.5) depth[pixel] = surface;
    }
  }
}
