import { project } from './camera.ts';
import type { Background } from './background.ts';
import type { Capsule } from './body.ts';
import type { Camera } from './camera.ts';
import type { Canvas } from './rasterise.ts';
import type { Vector } from './vector.ts';

/** Shadow edges fade over this, metres. */
const SOFTNESS_M = 0.1;

/**
 * Darkens the floor where limbs stand between it and the lamp (strength: the lamp's share
 * of the light), and a little right under them whatever the light. The distance to a
 * limb's shadow is taken on the floor itself, so perspective and furniture come out right.
 */
export function drawShadows(
  canvas: Canvas,
  scene: {
    readonly camera: Camera;
    readonly background: Background;
    readonly lamp: Vector;
    readonly strength: number;
  },
  capsules: readonly Capsule[],
  mask: Float32Array,
): void {
  const touched = { left: canvas.width, top: canvas.height, right: -1, bottom: -1 };
  const floor = { canvas, scene, mask, touched };
  for (const capsule of capsules) {
    castOnFloor(floor, capsule, scene);
    const high = Math.min(capsule.from[1], capsule.to[1]);
    if (high < 0.35) castOnFloor(floor, capsule, { strength: 0.3 * (1 - high / 0.35) });
  }
  for (let y = touched.top; y <= touched.bottom; y++) {
    for (let x = touched.left; x <= touched.right; x++) {
      const pixel = y * canvas.width + x;
      const shade = mask[pixel]!;
      if (shade === 0) continue;
      mask[pixel] = 0;
      for (let i = pixel * 3; i < pixel * 3 + 3; i++) canvas.pixels[i]! *= 1 - shade;
    }
  }
}

interface Floor {
  readonly canvas: Canvas;
  readonly scene: { readonly camera: Camera; readonly background: Background };
  /** Share of the light that each pixel loses. */
  readonly mask: Float32Array;
  /** The pixels that have lost some. */
  readonly touched: { left: number; top: number; right: number; bottom: number };
}

function castOnFloor(
  { canvas: { width, height }, scene: { camera, background }, mask, touched }: Floor,
  capsule: Capsule,
  { lamp, strength }: { readonly lamp?: Vector; readonly strength: number },
): void {
  const [ax, az, ar] = floorPoint(capsule.from, capsule.fromRadius, lamp);
  const [bx, bz, br] = floorPoint(capsule.to, capsule.toRadius, lamp);
  const reach = Math.max(ar, br) + SOFTNESS_M;
  const corners = [Math.min(ax, bx) - reach, Math.max(ax, bx) + reach].flatMap((x) =>
    [Math.min(az, bz) - reach, Math.max(az, bz) + reach].map((z) => project(camera, [x, 0, z])),
  );
  if (corners.some(({ depth }) => depth < 0.3)) return;
  const left = Math.max(0, Math.floor(Math.min(...corners.map(({ x }) => x))));
  const right = Math.min(width - 1, Math.ceil(Math.max(...corners.map(({ x }) => x))));
  const top = Math.max(0, Math.floor(Math.min(...corners.map(({ y }) => y))));
  const bottom = Math.min(height - 1, Math.ceil(Math.max(...corners.map(({ y }) => y))));
  const inverseLength = 1 / Math.max(1e-9, (bx - ax) ** 2 + (bz - az) ** 2);
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const pixel = y * width + x;
      const floorX = background.floorX[pixel]!;
      if (Number.isNaN(floorX)) continue;
      const [dx, dz] = [floorX - ax, background.floorZ[pixel]! - az];
      const share = Math.min(1, Math.max(0, (dx * (bx - ax) + dz * (bz - az)) * inverseLength));
      const [offX, offZ] = [dx - (bx - ax) * share, dz - (bz - az) * share];
      const squared = offX * offX + offZ * offZ;
      if (squared > reach * reach) continue;
      const away = Math.sqrt(squared);
      const shade = strength * Math.min(1, (ar + (br - ar) * share + SOFTNESS_M - away) / (2 * SOFTNESS_M));
      if (shade > mask[pixel]!) mask[pixel] = shade;
    }
  }
  if (left > right || top > bottom) return;
  touched.left = Math.min(touched.left, left);
  touched.right = Math.max(touched.right, right);
  touched.top = Math.min(touched.top, top);
  touched.bottom = Math.max(touched.bottom, bottom);
}

/** Where a ball's shadow falls, and its radius. Without a lamp: straight below. */
function floorPoint(point: Vector, radius: number, lamp?: Vector): [x: number, z: number, radius: number] {
  if (lamp === undefined) return [point[0], point[2], radius];
  const stretch = Math.min(3, lamp[1] / Math.max(0.1, lamp[1] - point[1]));
  return [
    lamp[0] + (point[0] - lamp[0]) * stretch,
    lamp[2] + (point[2] - lamp[2]) * stretch,
    radius * stretch,
  ];
}
