import { TASKS, type LabelNames } from '../../src/lab/evaluation/tasks.ts';
import type { LabelledClip } from '../../src/lab/datasets/types.ts';

/** The six interactions of ut-interaction: one of them is true of a clip. */
export const INTERACTIONS = Object.values(namesOf('ut-interaction'));

/**
 * Our labels of the actions that fir-action times; sit, sleeping, active and fallen are states, not actions.
 */
const INDOOR_OF = namesOf('fir-action');

export const INDOOR = Object.values(INDOOR_OF);

/** Shares of a window below and above which an action counts as absent and present (training/labels.py). */
const TOUCHED = 0.15;
const FILLED = 0.5;

/**
 * What is true of a window [startS, endS) of a long video, a label of INDOOR
 * each: true where the action fills half of the window or most of it lies
 * inside; false where they do not meet; undefined where it is only touched.
 */
export function indoorTruth(
  segments: readonly LabelledClip[],
  startS: number,
  endS: number,
): ReadonlyMap<string, boolean | undefined> {
  const truth = new Map<string, boolean | undefined>(INDOOR.map((label) => [label, false]));
  for (const segment of segments) {
    const label = INDOOR_OF[segment.labels[0] ?? ''];
    if (label === undefined || segment.startS === undefined || segment.endS === undefined) continue;
    const shared = Math.min(endS, segment.endS) - Math.max(startS, segment.startS);
    if (shared <= TOUCHED * (endS - startS)) continue;
    const enough = shared >= FILLED * Math.min(endS - startS, segment.endS - segment.startS);
    if (enough) truth.set(label, true);
    else if (truth.get(label) !== true) truth.set(label, undefined);
  }
  return truth;
}

/** The labels of a data set, and the model's names of them. */
function namesOf(dataset: string): LabelNames {
  const task = TASKS[dataset];
  if (!task || !('labels' in task)) throw new RangeError(`no labels of ${dataset}`);
  return task.labels;
}
