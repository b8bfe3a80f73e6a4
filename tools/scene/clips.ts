import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LABELS } from './actor.ts';
import { createRandom } from './prng.ts';
import { describeScene } from './scene.ts';
import { writeSceneVideo } from './video.ts';
import type { Label } from './actor.ts';
import type { Step, Visit } from './choreography.ts';
import type { Random } from './prng.ts';
import type { Scene } from './scene.ts';
import type { View } from './setting.ts';
import type { SceneTruth } from './truth.ts';
import type { VideoOptions } from './video.ts';

export interface ClipSetOptions {
  readonly directory: string;
  readonly count: number;
  readonly seed: number;
  readonly labels?: readonly Label[];
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  /** What the manifest's split column says. */
  readonly split?: string;
  readonly onClip?: (done: number) => void;
}

const QUIET_ALONE: readonly (readonly Step[])[] = [
  ['walk', 'stand'],
  ['walk', 'walk'],
  ['sitdown', 'sit'],
];
const QUIET_TOGETHER: readonly (readonly Step[])[] = [
  ['walk', 'stand'],
  ['walk', 'walk'],
  ['meet', 'stand'],
  ['handshake', 'stand'],
  ['hug'],
  ['point', 'stand'],
];

type Plan = Pick<Visit, 'people' | 'steps' | 'fightS'> & { readonly views: readonly View[] };

const MANIFEST_HEADER = 'dataset,path,label,start_s,end_s,group,split,codec,fps,dur,bytes,note';
/** Labels that say something of the whole clip, not of a part of it. */
const WHOLE_CLIP: ReadonlySet<Label> = new Set(['no_fight', 'none']);
const PAIR_VIEWS: readonly View[] = ['side', 'side', 'hall', 'corner'];
const SOLO_VIEWS: readonly View[] = ['ceiling', 'ceiling', 'corner', 'hall', 'side'];

/**
 * Writes short labelled clips, as many of each label, each with a room of its
 * own, and a manifest.csv as the real footage has.
 */
export async function writeClipSet(options: ClipSetOptions, video: VideoOptions = {}): Promise<void> {
  const { directory, count, seed, labels = LABELS, split = 'scene-train' } = options;
  await mkdir(directory, { recursive: true });
  const rows = [MANIFEST_HEADER];
  for (let index = 0; index < count; index++) {
    const label = labels[index % labels.length]!;
    const clipSeed = seed * 100_003 + index;
    const scene = describeClip(label, clipSeed, options);
    const path = `${String(index).padStart(5, '0')}-${label}.mp4`;
    const quality = 22 + (clipSeed % 10);
    const truth = await writeSceneVideo(scene, join(directory, path), { quality, ...video });
    const { size } = await stat(join(directory, path));
    for (const [startS, endS] of labelledTimes(label, truth)) {
      rows.push(
        [
          'scene',
          path,
          label,
          startS,
          endS,
          `scene-${clipSeed}`,
          split,
          'h264',
          `${scene.fps}/1`,
          truth.duration_s,
          size,
          scene.view,
        ].join(','),
      );
    }
    options.onClip?.(index + 1);
  }
  await writeFile(join(directory, 'manifest.csv'), rows.join('\n') + '\n');
}

/** A scene of 2 to 4 s with the labelled action inside it. */
export function describeClip(
  label: Label,
  seed: number,
  size: { readonly width?: number; readonly height?: number; readonly fps?: number } = {},
): Scene {
  const random = createRandom(seed ^ 0x5ce7e);
  const { views, ...plan } = planClip(label, random);
  const { width = 320, height = 240, fps = 15 } = size;
  const options = { seed, view: random.pick(views), width, height, fps };
  const visit: Visit = { ...plan, startS: 0, enter: false, leave: false };
  // The choreography does not depend on when it starts: write it once to learn
  // its times, then again so that the clip shows the action.
  const whole = describeScene({ ...options, visits: [visit], stillAfterS: 0 });
  const action = whole.actions.find((candidate) => candidate.label === label);
  const [startS, endS] = action === undefined ? [0, whole.durationS] : [action.startS, action.endS];
  const available = Math.max(0, whole.durationS - 0.05);
  const durationS = Math.min(available, 4, Math.max(2, endS - startS + random.range(0.2, 0.9)));
  const slack = durationS - (endS - startS);
  const wanted = startS - slack * random.range(0.2, 0.8);
  const offsetS = Math.min(Math.max(0, wanted), available - durationS);
  return describeScene({ ...options, durationS, visits: [{ ...visit, startS: -offsetS }] });
}

function planClip(label: Label, random: Random): Plan {
  switch (label) {
    case 'fight':
      return {
        people: 2,
        steps: ['fight'],
        fightS: random.range(2.6, 4.5),
        views: ['hall', 'corner', 'side', 'hall'],
      };
    case 'no_fight': {
      const people = random.chance(0.3) ? 1 : 2;
      const steps = random.pick(people === 1 ? QUIET_ALONE : QUIET_TOGETHER);
      return { people, steps: [...steps, 'stand', 'stand'], views: ['hall', 'corner', 'side', 'hall'] };
    }
    case 'none':
      return {
        people: 2,
        steps: random.pick<readonly Step[]>([
          ['stand', 'walk', 'stand'],
          ['walk', 'stand'],
          ['stand', 'meet', 'stand'],
        ]),
        views: PAIR_VIEWS,
      };
    case 'handshake':
    case 'hug':
    case 'kick':
    case 'point':
    case 'punch':
    case 'push':
      return { people: 2, steps: ['stand', label, 'stand', 'stand'], views: PAIR_VIEWS };
    case 'walk':
      return { people: 1, steps: ['walk', 'walk', 'walk'], views: SOLO_VIEWS };
    case 'standup':
      return { people: 1, steps: ['sit', 'standup', 'stand'], views: SOLO_VIEWS };
    case 'lying':
      return { people: 1, steps: ['lying'], views: ['ceiling', 'ceiling', 'ceiling', 'corner', 'hall'] };
    case 'sitdown':
    case 'sit':
      return { people: 1, steps: ['sitdown', 'sit'], views: SOLO_VIEWS };
    case 'falling':
    case 'fallen':
      return {
        people: 1,
        steps: [random.chance(0.5) ? 'walk' : 'stand', 'falling', 'fallen'],
        views: SOLO_VIEWS,
      };
  }
}

function labelledTimes(label: Label, truth: SceneTruth): (readonly [number | '', number | ''])[] {
  if (WHOLE_CLIP.has(label)) return [['', '']];
  return truth.actions
    .filter((action) => action.label === label)
    .map(({ start_s, end_s }) => [start_s, end_s] as const);
}
