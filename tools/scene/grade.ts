import type { Random } from './prng.ts';
import type { Colour } from './texture.ts';

/**
 * What the camera makes of colours: white balance, saturation, brightness,
 * darker corners. Plain numbers, so a scene is data.
 */
export interface GradeSettings {
  readonly gain: Colour;
  readonly saturation: number;
  readonly vignetting: number;
}

export interface Grade {
  readonly colour: (colour: Colour) => Colour;
  /** Brightness factor at a position, 0..1 from the top left. */
  readonly vignette: (x: number, y: number) => number;
}

export function describeGrade(random: Random): GradeSettings {
  const exposure = random.range(0.82, 1.08);
  const warm = random.range(-0.08, 0.1);
  return {
    gain: [exposure * (1 + warm), exposure, exposure * (1 - warm)],
    saturation: random.chance(0.15) ? 0 : random.range(0.65, 1.15),
    vignetting: random.range(0, 0.35),
  };
}

export function createGrade({ gain, saturation, vignetting }: GradeSettings): Grade {
  return {
    colour: (colour) => {
      const [r, g, b] = [colour[0] * gain[0], colour[1] * gain[1], colour[2] * gain[2]];
      const grey = 0.299 * r + 0.587 * g + 0.114 * b;
      const mix = (channel: number): number => grey + (channel - grey) * saturation;
      return [mix(r), mix(g), mix(b)];
    },
    vignette: (x, y) => 1 - vignetting * ((x - 0.5) ** 2 + (y - 0.5) ** 2) * 2,
  };
}
