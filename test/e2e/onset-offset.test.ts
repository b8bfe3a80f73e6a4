import path from 'node:path';
import { expect, test } from 'vitest';
import { demoScene, STORIES } from '../../tools/scene/ready-made.ts';
import { VIEWS } from '../../tools/scene/setting.ts';
import { writeSceneVideo } from '../../tools/scene/video.ts';
import { addUp, compareScene, meanErrors } from '../../tools/scene-report/compare.ts';
import { watchVideo } from '../../tools/scene-report/watch.ts';
import { SHIPPED_MODEL } from '../support/shipped-model.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/**
 * The aim is one stride; the shipped model is held to what it reached (1.15 and
 * 1.4, docs/model.md) and a third of a stride.
 */
const MOST_STRIDES = { start: 1.5, end: 1.75 };
const STRIDE_S = 0.6;

/**
 * Both stories from every view, in a room and with people that neither training
 * nor the choice of thresholds saw.
 */
const SEED = 21;
/** Of the falls, one in four may be missed. */
const FALLS_FOUND = 3;

test(`${SHIPPED_MODEL}: fights and falls of scenes are found and not taken for each other; actions begin within ${MOST_STRIDES.start} strides of their exact times and end within ${MOST_STRIDES.end}, on average`, async () => {
  const directory = await temporaryDirectory();
  const comparisons = [];
  for (const story of STORIES) {
    for (const view of VIEWS) {
      const video = path.join(directory, `${story}-${view}.mp4`);
      const truth = await writeSceneVideo(
        demoScene({ story, view, seed: SEED, width: 160, height: 120 }),
        video,
      );
      const found = compareScene(truth, await watchVideo(video, { model: SHIPPED_MODEL }));
      const other = found.find(({ label }) => label === (story === 'fight' ? 'fall' : 'fight'));
      expect(other, `${story} in view ${view} taken for the other`).toBeUndefined();
      comparisons.push(...found);
    }
  }

  const total = addUp(comparisons);
  const foundOf = (label: string): number => total.find((one) => one.label === label)?.found.length ?? 0;
  expect(foundOf('fight')).toBe(VIEWS.length);
  expect(foundOf('fall')).toBeGreaterThanOrEqual(FALLS_FOUND);
  const { onsetS, offsetS } = meanErrors(comparisons);
  const reported = JSON.stringify(total);
  expect(onsetS, `starts of ${reported}`).toBeLessThanOrEqual(MOST_STRIDES.start * STRIDE_S);
  expect(offsetS, `ends of ${reported}`).toBeLessThanOrEqual(MOST_STRIDES.end * STRIDE_S);
});
