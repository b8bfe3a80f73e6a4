import { createLampLevel, renderBackground } from './background.ts';
import { figureCapsules } from './figure.ts';
import { createGrade } from './grade.ts';
import { lightLevels } from './light.ts';
import { createNoiseAdder } from './noise.ts';
import { drawCapsules } from './rasterise.ts';
import { drawShadows } from './shadow.ts';
import { normalise, subtract } from './vector.ts';
import type { Background } from './background.ts';
import type { LightLevels } from './light.ts';
import type { Canvas } from './rasterise.ts';
import type { Scene } from './scene.ts';
import type { Vector } from './vector.ts';

export interface SceneRenderer {
  readonly frameCount: number;
  readonly background: Background;
  /**
   * One frame of rgb24, width × height × 3 bytes. The same index gives the same
   * bytes, whatever was drawn before.
   */
  readonly frame: (index: number) => Uint8Array;
}

/** Every frame of a scene in order. */
export async function* renderScene(scene: Scene): AsyncGenerator<Uint8Array> {
  const renderer = createSceneRenderer(scene);
  for (let index = 0; index < renderer.frameCount; index++) {
    yield renderer.frame(index);
    // Drawing is all computing: let others have a turn.
    if (index % 15 === 14) await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * Draws what stands still once; after that a frame costs its light change, its moving figures and its noise.
 */
export function createSceneRenderer(scene: Scene): SceneRenderer {
  const { width, height, setting } = scene;
  const grade = createGrade(scene.grade);
  const background = renderBackground({ ...setting, grade }, width, height);
  const addNoise = createNoiseAdder(scene.seed, scene.noise, width);
  const still = new Uint8ClampedArray(width * height * 3);
  const canvas: Canvas = {
    width,
    height,
    pixels: new Uint8ClampedArray(still.length),
    depth: new Float32Array(width * height),
  };
  const shadowMask = new Float32Array(width * height);
  const lampLevel = createLampLevel(setting.room, setting.stage);
  let mixed: LightLevels = { ambient: NaN, lamp: NaN };

  const drawFigures = (timeS: number, levels: LightLevels): boolean => {
    const present = scene.figures
      .map((figure) => figureCapsules(figure, timeS))
      .filter(({ length }) => length > 0);
    if (present.length === 0) return false;
    canvas.pixels.set(still);
    canvas.depth.set(background.depth);
    const strength = (0.85 * levels.lamp) / Math.max(0.01, levels.lamp + levels.ambient);
    drawShadows(
      canvas,
      { camera: setting.camera, background, lamp: setting.room.lamp, strength },
      present.flat(),
      shadowMask,
    );
    for (const capsules of present) {
      const middle = capsules[0]!.from;
      const towardsLamp: Vector = normalise(subtract(setting.room.lamp, middle));
      const lamp = levels.lamp * lampLevel(middle, towardsLamp, false);
      drawCapsules(canvas, setting.camera, capsules, {
        towardsLamp,
        lamp,
        ambient: levels.ambient,
        colour: grade.colour,
      });
    }
    return true;
  };

  return {
    frameCount: Math.round(scene.durationS * scene.fps),
    background,
    frame: (index) => {
      const timeS = index / scene.fps;
      const levels = lightLevels(scene.light, timeS);
      if (levels.ambient !== mixed.ambient || levels.lamp !== mixed.lamp) mixLight(background, levels, still);
      mixed = levels;
      const clean = drawFigures(timeS, levels) ? canvas.pixels : still;
      const noisy = new Uint8ClampedArray(clean.length);
      addNoise(clean, index, noisy);
      return new Uint8Array(noisy.buffer);
    },
  };
}

function mixLight({ even, lamp }: Background, levels: LightLevels, into: Uint8ClampedArray): void {
  for (let i = 0; i < into.length; i++) into[i] = even[i]! * levels.ambient + lamp[i]! * levels.lamp;
}
