import path from 'node:path';
import { expect, test } from 'vitest';
import { demoScene } from '../../tools/scene/ready-made.ts';
import { writeSceneVideo } from '../../tools/scene/video.ts';
import { addUp, compareScene, meanErrors } from '../../tools/scene-report/compare.ts';
import { watchVideo } from '../../tools/scene-report/watch.ts';
import { SHIPPED_MODEL } from '../support/shipped-model.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The aim is one stride; the shipped model is held to what it reached (1.0 and 1.95, docs/model.md) and half a stride. */
const MOST_STRIDES = { start: 1.5, end: 2.5 };
const STRIDE_S = 0.6;

/** The demo's scene in both stories, and each story from a camera and with people that training never saw. */
const SCENES = [
  { story: 'fight', view: 'hall', seed: 5 },
  { story: 'fall', view: 'hall', seed: 5 },
  { story: 'fight', view: 'side', seed: 21 },
  { story: 'fall', view: 'ceiling', seed: 21 },
] as const;

test(`${SHIPPED_MODEL}: fights and falls of scenes are found and not taken for each other; actions begin within ${MOST_STRIDES.start} strides of their exact times and end within ${MOST_STRIDES.end}, on average`, async () => {
  const directory = await temporaryDirectory();
  const comparisons = [];
  for (const options of SCENES) {
    const { story, view, seed } = options;
    const video = path.join(directory, `${story}-${view}-${seed}.mp4`);
    const truth = await writeSceneVideo(demoScene({ ...options, width: 160, height: 120 }), video);
    const found = compareScene(truth, await watchVideo(video, { model: SHIPPED_MODEL }));
    const own = found.find(({ label }) => label === story);
    const other = found.find(({ label }) => label === (story === 'fight' ? 'fall' : 'fight'));

    expect(own, `${story} in view ${view}`).toMatchObject({ actions: 1, found: [expect.anything()] });
    expect(other, `${story} in view ${view} taken for the other`).toBeUndefined();
    comparisons.push(...found);
  }

  const { onsetS, offsetS } = meanErrors(comparisons);
  const told = JSON.stringify(addUp(comparisons));
  expect(onsetS, `starts of ${told}`).toBeLessThanOrEqual(MOST_STRIDES.start * STRIDE_S);
  expect(offsetS, `ends of ${told}`).toBeLessThanOrEqual(MOST_STRIDES.end * STRIDE_S);
});
