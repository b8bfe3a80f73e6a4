import { choreograph } from './choreography.ts';
import { describeGrade } from './grade.ts';
import { describeLight } from './light.ts';
import { createRandom } from './prng.ts';
import { describeSetting, VIEWS } from './setting.ts';
import type { SceneAction } from './actor.ts';
import type { Visit } from './choreography.ts';
import type { Figure } from './figure.ts';
import type { GradeSettings } from './grade.ts';
import type { Light } from './light.ts';
import type { Setting, View } from './setting.ts';

export interface SceneOptions {
  readonly seed: number;
  /** By the seed where not given. */
  readonly view?: View;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  /** By default up to `stillAfterS` after the last visit. */
  readonly durationS?: number;
  readonly stillAfterS?: number;
  readonly visits?: readonly Visit[];
  readonly lampSwitches?: Light['switches'];
}

/**
 * All that is to be known about a scene, as plain data: the same options give
 * the same scene, and it the same frames.
 */
export interface Scene {
  readonly seed: number;
  readonly view: View;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly durationS: number;
  readonly setting: Setting;
  readonly grade: GradeSettings;
  readonly light: Light;
  /** Deviation of the sensor noise, grey levels. */
  readonly noise: number;
  readonly figures: readonly Figure[];
  /** As written, including parts outside the video or out of sight; `sceneTruth` has what can be seen. */
  readonly actions: readonly SceneAction[];
}

/**
 * Makes up a scene: room, camera and light from the seed, people from the
 * visits. 320 × 240 at 15 frames a second by default.
 */
export function describeScene(options: SceneOptions): Scene {
  const { seed, width = 320, height = 240, fps = 15, visits = [] } = options;
  const random = createRandom(seed);
  const view = options.view ?? random.pick(VIEWS);
  const setting = describeSetting(view, random, { width, height });
  const grade = describeGrade(random);
  const light = describeLight(random, options.lampSwitches ?? []);
  const noise = random.range(0.8, 2.6);

  const figures: Figure[] = [];
  const actions: SceneAction[] = [];
  let lastEndS = 0;
  for (const visit of visits) {
    const part = choreograph(visit, setting, random, figures.length);
    figures.push(...part.figures);
    actions.push(...part.actions);
    lastEndS = Math.max(lastEndS, part.endS);
  }
  const durationS = options.durationS ?? lastEndS + (options.stillAfterS ?? 8);
  return { seed, view, width, height, fps, durationS, setting, grade, light, noise, figures, actions };
}
