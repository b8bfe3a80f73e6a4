import type { Random } from './prng.ts';
import type { Colour, Texture } from './texture.ts';
import type { Vector } from './vector.ts';

export interface Box {
  readonly min: Vector;
  readonly max: Vector;
  readonly texture: Texture;
}

/**
 * A room with its corners on the axes. What lies outside is never seen, but for
 * a corridor behind the door in the far (z1) wall.
 */
export interface Room {
  readonly x0: number;
  readonly x1: number;
  readonly z0: number;
  readonly z1: number;
  readonly height: number;
  readonly floor: Texture;
  readonly wall: Texture;
  readonly door: { readonly x0: number; readonly x1: number; readonly height: number } | undefined;
  readonly boxes: readonly Box[];
  readonly lamp: Vector;
}

const WALL_COLOURS: readonly Colour[] = [
  [206, 202, 190],
  [176, 186, 190],
  [196, 176, 140],
  [150, 158, 150],
  [170, 120, 92],
];
const INDOOR_FLOORS: readonly (readonly [Texture['kind'], Colour, number])[] = [
  ['planks', [176, 126, 88], 0.5],
  ['planks', [120, 86, 60], 0.6],
  ['tiles', [192, 190, 184], 0.5],
  ['tiles', [140, 138, 134], 0.6],
  ['carpet', [104, 108, 122], 0.6],
  ['concrete', [146, 144, 138], 0.5],
];
const OUTDOOR_FLOORS: readonly (readonly [Texture['kind'], Colour, number])[] = [
  ['concrete', [138, 132, 120], 0.45],
  ['concrete', [112, 108, 104], 0.5],
  ['grass', [92, 96, 66], 0.5],
  ['tiles', [150, 140, 126], 0.4],
];
const FURNITURE: readonly Colour[] = [
  [112, 74, 46],
  [70, 66, 68],
  [172, 160, 140],
  [60, 74, 92],
  [126, 44, 40],
  [84, 72, 120],
];

export function indoorFloor(random: Random): Texture {
  const [kind, colour, contrast] = random.pick(INDOOR_FLOORS);
  return { kind, colour: tint(colour, random), contrast, seed: random.index(1000) };
}

export function outdoorFloor(random: Random): Texture {
  const [kind, colour, contrast] = random.pick(OUTDOOR_FLOORS);
  return { kind, colour: tint(colour, random), contrast, seed: random.index(1000) };
}

export function indoorWall(random: Random): Texture {
  const kind = random.chance(0.2) ? 'bricks' : 'plain';
  return { kind, colour: tint(random.pick(WALL_COLOURS), random), contrast: 0.4, seed: random.index(1000) };
}

/** A box with its middle at (x, z). */
export function block(options: {
  readonly x: number;
  readonly z: number;
  readonly size: readonly [width: number, height: number, depth: number];
  readonly base?: number;
  readonly texture: Texture;
}): Box {
  const [width, height, depth] = options.size;
  const base = options.base ?? 0;
  return {
    min: [options.x - width / 2, base, options.z - depth / 2],
    max: [options.x + width / 2, base + height, options.z + depth / 2],
    texture: options.texture,
  };
}

export function furnitureTexture(random: Random): Texture {
  const colour = tint(random.pick(FURNITURE), random);
  return { kind: 'plain', colour, contrast: 0.3, seed: random.index(1000) };
}

/** A chair that faces -z (towards the camera's side), its seat's middle at (x, z). */
export function chair(x: number, z: number, texture: Texture): Box[] {
  const leg = (dx: number, dz: number): Box =>
    block({ x: x + dx, z: z + dz, size: [0.05, 0.42, 0.05], texture });
  return [
    block({ x, z, size: [0.48, 0.05, 0.44], base: 0.4, texture }),
    block({ x, z: z + 0.25, size: [0.48, 0.5, 0.05], base: 0.42, texture }),
    leg(-0.2, -0.18),
    leg(0.2, -0.18),
    leg(-0.2, 0.2),
    leg(0.2, 0.2),
  ];
}

/** Tables, shelves and paintings along the walls, clear of the door and of the middle of the room. */
export function furnish(room: Omit<Room, 'boxes' | 'lamp' | 'floor' | 'wall'>, random: Random): Box[] {
  const boxes: Box[] = [];
  const { x0, x1, z1, height, door } = room;
  if (random.chance(0.7)) {
    const depth = random.range(0.35, 0.5);
    const size = [depth, random.range(0.8, 2), random.range(0.8, 1.6)] as const;
    boxes.push(
      block({ x: x1 - depth / 2, z: z1 - random.range(1.2, 2), size, texture: furnitureTexture(random) }),
    );
  }
  if (random.chance(0.7)) {
    const z = z1 - random.range(0.9, 1.6);
    const texture = furnitureTexture(random);
    boxes.push(block({ x: x0 + 0.45, z, size: [0.8, 0.06, 1.5], base: 0.68, texture }));
    boxes.push(block({ x: x0 + 0.45, z, size: [0.5, 0.68, 0.5], texture }));
  }
  const left = door === undefined || door.x0 - x0 > x1 - door.x1;
  const [from, to] = left ? [x0, door?.x0 ?? x1] : [door.x1, x1];
  if (random.chance(0.8)) {
    const x = from + (to - from) * random.range(0.4, 0.6);
    const size = [Math.min(1.4, (to - from) * 0.5), random.range(0.5, 0.9), 0.04] as const;
    const texture = {
      kind: 'plain',
      colour: random.pick([
        [214, 222, 232],
        [60, 84, 96],
        [140, 92, 60],
      ] as const),
      contrast: 0.9,
      seed: 5,
    } as const;
    boxes.push(block({ x, z: z1 - 0.02, size, base: Math.min(1.2, height - 1.1), texture }));
  }
  return boxes;
}

function tint([r, g, b]: Colour, random: Random): Colour {
  const light = random.range(0.85, 1.12);
  const warm = random.range(-0.06, 0.06);
  return [r * light * (1 + warm), g * light, b * light * (1 - warm)];
}
