import { readManifest } from '../../src/lab/datasets/manifest.ts';
import type { LabelledClip } from '../../src/lab/datasets/types.ts';

/** What a video is tested for. */
export type Task = 'fight' | 'interaction' | 'indoor';

const TASK_OF: Readonly<Record<string, Task>> = {
  'fight-surv': 'fight',
  'ut-interaction': 'interaction',
  'fir-action': 'indoor',
};

export interface TestVideo {
  readonly task: Task;
  readonly name: string;
  readonly path: string;
  /** One for a short clip; those of a long video in order. */
  readonly segments: readonly LabelledClip[];
}

/**
 * Videos of a split, in the manifest's order; clips of ut-interaction without an interaction are left out.
 */
export async function readTestVideos(manifest: string, split: string): Promise<readonly TestVideo[]> {
  const { clips } = await readManifest(manifest);
  const videos = new Map<string, TestVideo & { readonly segments: LabelledClip[] }>();
  for (const clip of clips) {
    const task = TASK_OF[clip.dataset];
    if (task === undefined || clip.split !== split) continue;
    if (task === 'interaction' && clip.labels.includes('none')) continue;
    const video = videos.get(clip.path) ?? { task, name: clip.name, path: clip.path, segments: [] };
    video.segments.push(clip);
    videos.set(clip.path, video);
  }
  return [...videos.values()];
}
