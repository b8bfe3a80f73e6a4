import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { namesOf, spansOf } from '../scene-report/compare.ts';
import { demoScene, STORIES } from '../scene/ready-made.ts';
import { VIEWS } from '../scene/setting.ts';
import { writeSceneVideo } from '../scene/video.ts';

/** What the manifest calls them: scenes are labelled as this data set is, and judged as it is. */
export const SCENES_AS = 'fir-action';
export const SCENES_SPLIT = 'held-out-scenes';

/**
 * Long videos that the weights have not seen: the demo's two stories in every view, a room and people of
 * its own for each seed, with a manifest of their timed actions; taken as they are where they are there.
 * @returns the manifest
 */
export async function writeHeldOutScenes(directory: string, seeds: readonly number[]): Promise<string> {
  const manifest = path.join(directory, 'manifest.csv');
  if (existsSync(manifest)) return manifest;
  await mkdir(directory, { recursive: true });
  const labels = namesOf(SCENES_AS);
  const rows = ['dataset,path,label,start_s,end_s,group,split'];
  for (const seed of seeds) {
    for (const view of VIEWS) {
      for (const story of STORIES) {
        const name = `${story}-${view}-${seed}.mp4`;
        const scene = demoScene({ story, view, seed, width: 160, height: 120 });
        const truth = await writeSceneVideo(scene, path.join(directory, name));
        for (const [called, label] of Object.entries(labels)) {
          for (const { startS, endS } of spansOf(truth, label))
            rows.push([SCENES_AS, name, called, startS, endS, name, SCENES_SPLIT].join(','));
        }
      }
    }
  }
  await writeFile(manifest, `${rows.join('\n')}\n`);
  return manifest;
}
