import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from './prng.ts';
import { describeScene } from './scene.ts';
import { VIEWS } from './setting.ts';
import { writeSceneVideo } from './video.ts';
import type { Step, Visit } from './choreography.ts';
import type { Scene, SceneOptions } from './scene.ts';
import type { VideoOptions } from './video.ts';

type Size = Partial<Pick<SceneOptions, 'width' | 'height' | 'fps'>>;

export interface StorySetOptions extends Size {
  readonly directory: string;
  readonly count: number;
  readonly seed: number;
  readonly onVideo?: (done: number) => void;
}

/**
 * What people come for. Fights and falls, and as often what begins like one:
 * people who meet and part, who touch, who get down by will.
 */
const STORIES: readonly Pick<Visit, 'people' | 'steps'>[] = [
  ...alone(['walk', 'falling', 'fallen'], ['falling', 'fallen'], ['stand', 'falling', 'fallen', 'walk']),
  ...alone(
    ['walk', 'stand', 'walk'],
    ['sitdown', 'sit', 'standup'],
    ['lying', 'standup'],
    ['falling', 'fallen'],
  ),
  ...together(
    ['fight'],
    ['stand', 'fight'],
    ['meet', 'stand', 'fight'],
    ['fight', 'stand'],
    ['push', 'fight'],
  ),
  ...together(
    ['meet', 'stand'],
    ['meet', 'stand', 'walk'],
    ['meet', 'handshake'],
    ['hug', 'stand'],
    ['walk', 'walk'],
  ),
  ...together(['point', 'stand'], ['meet', 'push'], ['meet', 'punch', 'stand'], ['meet', 'kick', 'stand']),
];

/**
 * Writes scenes of one visit each, from the empty room to the empty room, in
 * all views by turns; a room and people of its own each.
 */
export async function writeStorySet(options: StorySetOptions, video: VideoOptions = {}): Promise<void> {
  const { directory, count, seed, onVideo } = options;
  await mkdir(directory, { recursive: true });
  for (let index = 0; index < count; index++) {
    const storySeed = seed * 100_019 + index;
    const scene = describeStory(index, storySeed, options);
    const quality = 22 + (storySeed % 10);
    const path = join(directory, `story-${storySeed}.mp4`);
    await writeSceneVideo(scene, path, { quality, ...video });
    onVideo?.(index + 1);
  }
}

/** The `index`-th story of a set: every story in every view before one comes again. 12 to 25 s. */
export function describeStory(index: number, seed: number, size: Size = {}): Scene {
  const random = createRandom(seed ^ 0x570e1);
  const story = STORIES[index % STORIES.length]!;
  const view = VIEWS[Math.floor(index / STORIES.length + index) % VIEWS.length]!;
  const visit = {
    ...story,
    startS: random.range(1, 3),
    enter: true,
    leave: true,
    fightS: random.range(2.6, 6),
  };
  return describeScene({ ...size, seed, view, visits: [visit], stillAfterS: random.range(1, 3) });
}

function alone(...lists: readonly (readonly Step[])[]): readonly Pick<Visit, 'people' | 'steps'>[] {
  return lists.map((steps) => ({ people: 1, steps }));
}

function together(...lists: readonly (readonly Step[])[]): readonly Pick<Visit, 'people' | 'steps'>[] {
  return lists.map((steps) => ({ people: 2, steps }));
}
