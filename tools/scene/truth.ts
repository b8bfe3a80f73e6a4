import { figureCapsules } from './figure.ts';
import { project } from './camera.ts';
import type { Label, SceneAction } from './actor.ts';
import type { Background } from './background.ts';
import type { Figure } from './figure.ts';
import type { Scene } from './scene.ts';

/**
 * What can be seen in a scene's video, in the shape of the JSON file beside it:
 * seconds of the video, pixels from the top left.
 */
export interface SceneTruth {
  readonly seed: number;
  readonly view: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly duration_s: number;
  readonly actions: readonly {
    readonly label: Label;
    readonly start_s: number;
    readonly end_s: number;
    readonly figures: readonly number[];
  }[];
  readonly lamp_switches: readonly { readonly at_s: number; readonly on: boolean }[];
  /** One a figure in sight and second. */
  readonly boxes: readonly FigureBox[];
}

interface FigureBox {
  readonly time_s: number;
  readonly figure: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Visibility is decided at this many moments a second. */
const SIGHT_RATE = 30;
/**
 * A figure is in sight when this share of its limbs' ends is: a fingertip alone is not a person to be seen.
 */
const SIGHT_SHARE = 0.03;

/** Actions cut to the time in which one of their figures is in sight; those never seen are left out. */
export function sceneTruth(scene: Scene, background: Background): SceneTruth {
  const boxes = scene.figures.flatMap((figure) =>
    Array.from({ length: Math.ceil(scene.durationS) }, (_, second) =>
      figureBox(scene, background, figure, second),
    ),
  );
  return {
    ...{ seed: scene.seed, view: scene.view, width: scene.width, height: scene.height, fps: scene.fps },
    duration_s: round(scene.durationS),
    actions: scene.actions
      .flatMap((action) => cutToSight(scene, background, action))
      .map(({ label, startS, endS, figures }) => ({
        label,
        start_s: round(startS),
        end_s: round(endS),
        figures,
      }))
      .sort((a, b) => a.start_s - b.start_s),
    lamp_switches: scene.light.switches.map(({ atS, on }) => ({ at_s: round(atS), on })),
    boxes: boxes.filter((box) => box !== undefined),
  };
}

function cutToSight(scene: Scene, background: Background, action: SceneAction): SceneAction[] {
  const figures = scene.figures.filter(({ id }) => action.figures.includes(id));
  const inSight = (timeS: number): boolean =>
    figures.some((figure) => figureBox(scene, background, figure, timeS) !== undefined);
  const step = 1 / SIGHT_RATE;
  let startS = Math.max(0, action.startS);
  let endS = Math.min(scene.durationS, action.endS);
  while (startS < endS && !inSight(startS)) startS += step;
  while (endS > startS && !inSight(endS - step)) endS -= step;
  return endS - startS > step ? [{ ...action, startS, endS }] : [];
}

/** The rectangle around the limbs that are in the frame and not hidden; none where nothing is in sight. */
function figureBox(
  scene: Scene,
  { depth }: Background,
  figure: Figure,
  timeS: number,
): FigureBox | undefined {
  const { width, height, setting } = scene;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  let [seen, all] = [0, 0];
  for (const { from, to, fromRadius, toRadius } of figureCapsules(figure, timeS)) {
    for (const [point, radius] of [
      [from, fromRadius],
      [to, toRadius],
    ] as const) {
      const at = project(setting.camera, point);
      all++;
      const [column, row] = [Math.floor(at.x), Math.floor(at.y)];
      if (at.depth < 0.3 || column < 0 || row < 0 || column >= width || row >= height) continue;
      if (at.depth - radius > depth[row * width + column]! + 0.1) continue;
      seen++;
      const pixels = (radius * setting.camera.focal) / at.depth;
      [left, right] = [Math.min(left, at.x - pixels), Math.max(right, at.x + pixels)];
      [top, bottom] = [Math.min(top, at.y - pixels), Math.max(bottom, at.y + pixels)];
    }
  }
  if (all === 0 || seen / all < SIGHT_SHARE) return undefined;
  const [x, y] = [Math.max(0, Math.round(left)), Math.max(0, Math.round(top))];
  return {
    ...{ time_s: round(timeS), figure: figure.id, x, y },
    width: Math.min(width, Math.round(right)) - x,
    height: Math.min(height, Math.round(bottom)) - y,
  };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
