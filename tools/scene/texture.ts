import { hash2 } from './prng.ts';

/** Linear colour, each channel 0..255. */
export type Colour = readonly [number, number, number];

export interface Texture {
  readonly kind: 'planks' | 'tiles' | 'concrete' | 'carpet' | 'grass' | 'bricks' | 'plain';
  readonly colour: Colour;
  /** 0 is flat, 1 is strong. */
  readonly contrast: number;
  readonly seed: number;
}

/** Brightness factor of a texture at a point of its surface (metres). */
export function shadeTexture(texture: Texture, u: number, v: number): number {
  return Math.max(0.1, 1 + texture.contrast * pattern(texture, u, v));
}

function pattern({ kind, seed }: Texture, u: number, v: number): number {
  switch (kind) {
    case 'planks': {
      const row = Math.floor(u / 0.14);
      const board = Math.floor((v + hash2(row, 0, seed) * 2) / 1.1);
      const gap = mod(u, 0.14) < 0.008 ? -0.5 : 0;
      return gap + (hash2(row, board, seed) - 0.5) * 0.45 + (smoothNoise(u * 40, v * 3, seed) - 0.5) * 0.3;
    }
    case 'tiles': {
      const grout = mod(u, 0.45) < 0.02 || mod(v, 0.45) < 0.02 ? -0.55 : 0;
      return grout + (hash2(Math.floor(u / 0.45), Math.floor(v / 0.45), seed) - 0.5) * 0.2;
    }
    case 'bricks': {
      const row = Math.floor(v / 0.09);
      const shifted = u + (row % 2) * 0.12;
      const mortar = mod(v, 0.09) < 0.012 || mod(shifted, 0.24) < 0.012 ? 0.35 : 0;
      return mortar + (hash2(Math.floor(shifted / 0.24), row, seed) - 0.5) * 0.4;
    }
    case 'concrete': {
      const slab = Math.min(mod(u + 0.7, 3.1), mod(v + 0.4, 2.7)) < 0.035 ? -0.5 : 0;
      return slab + cloud(u * 1.3, v * 1.3, seed) * 0.6 + (smoothNoise(u * 30, v * 30, seed) - 0.5) * 0.25;
    }
    case 'grass':
      return cloud(u * 2, v * 2, seed) * 0.7 + (smoothNoise(u * 25, v * 60, seed) - 0.5) * 0.9;
    case 'carpet':
      return cloud(u * 3, v * 3, seed) * 0.2 + (smoothNoise(u * 60, v * 60, seed) - 0.5) * 0.4;
    case 'plain':
      return cloud(u, v, seed) * 0.2;
  }
}

/** Two octaves of smooth noise, about -0.5..0.5. */
function cloud(u: number, v: number, seed: number): number {
  return smoothNoise(u, v, seed) * 0.65 + smoothNoise(u * 2.7, v * 2.7, seed + 1) * 0.35 - 0.5;
}

function smoothNoise(u: number, v: number, seed: number): number {
  const [x, y] = [Math.floor(u), Math.floor(v)];
  const [fx, fy] = [ease(u - x), ease(v - y)];
  const top = hash2(x, y, seed) * (1 - fx) + hash2(x + 1, y, seed) * fx;
  const bottom = hash2(x, y + 1, seed) * (1 - fx) + hash2(x + 1, y + 1, seed) * fx;
  return top * (1 - fy) + bottom * fy;
}

function ease(x: number): number {
  return x * x * (3 - 2 * x);
}

function mod(value: number, size: number): number {
  return value - Math.floor(value / size) * size;
}
