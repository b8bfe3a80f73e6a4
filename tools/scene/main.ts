import { parseArgs } from 'node:util';
import { LABELS } from './actor.ts';
import { writeClipSet } from './clips.ts';
import { demoScene, longScene, STORIES } from './ready-made.ts';
import { VIEWS } from './setting.ts';
import { writeStorySet } from './stories.ts';
import { writeSceneVideo } from './video.ts';
import type { Scene } from './scene.ts';

const USAGE = `npx tsx tools/scene/main.ts demo  --out FILE.mp4 [--story fight|fall]
npx tsx tools/scene/main.ts long  --out FILE.mp4 --minutes 10 [--every 75]
npx tsx tools/scene/main.ts clips --out DIR --count 200 [--labels fight,hug] [--split NAME]
npx tsx tools/scene/main.ts stories --out DIR --count 240
all: [--seed 1] [--view ${VIEWS.join('|')} (not clips, stories)] [--width 320] [--height 240] [--fps 15] [--ffmpeg PATH]`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string' },
    seed: { type: 'string' },
    view: { type: 'string' },
    story: { type: 'string' },
    minutes: { type: 'string', default: '10' },
    every: { type: 'string', default: '75' },
    count: { type: 'string', default: '200' },
    labels: { type: 'string' },
    split: { type: 'string', default: 'scene-train' },
    width: { type: 'string', default: '320' },
    height: { type: 'string', default: '240' },
    fps: { type: 'string', default: '15' },
    ffmpeg: { type: 'string', default: 'ffmpeg' },
  },
});

const [command] = positionals;
const size = { width: number(values.width), height: number(values.height), fps: number(values.fps) };
const seed = values.seed === undefined ? {} : { seed: number(values.seed) };
const view = values.view === undefined ? {} : { view: oneOf(VIEWS, values.view) };
const out = values.out ?? fail('--out is missing');

switch (command) {
  case 'demo': {
    const story = values.story === undefined ? {} : { story: oneOf(STORIES, values.story) };
    await write(demoScene({ ...size, ...seed, ...view, ...story }));
    break;
  }
  case 'long':
    await write(
      longScene({ ...size, ...seed, ...view, minutes: number(values.minutes), everyS: number(values.every) }),
    );
    break;
  case 'clips': {
    const labels =
      values.labels === undefined
        ? {}
        : { labels: values.labels.split(',').map((label) => oneOf(LABELS, label)) };
    const count = number(values.count);
    const onClip = (done: number): void => {
      if (done % 20 === 0 || done === count) console.log(`${done} of ${count} clips`);
    };
    const set = { directory: out, count, seed: seed.seed ?? 1, split: values.split, onClip };
    await writeClipSet({ ...set, ...size, ...labels }, { ffmpegPath: values.ffmpeg });
    break;
  }
  case 'stories': {
    const count = number(values.count);
    const onVideo = (done: number): void => {
      if (done % 20 === 0 || done === count) console.log(`${done} of ${count} videos`);
    };
    const set = { directory: out, count, seed: seed.seed ?? 1, onVideo };
    await writeStorySet({ ...set, ...size }, { ffmpegPath: values.ffmpeg });
    break;
  }
  case undefined:
  default:
    fail(`no such command: ${command ?? '(none)'}`);
}

async function write(scene: Scene): Promise<void> {
  const startedMs = performance.now();
  const truth = await writeSceneVideo(scene, out, { ffmpegPath: values.ffmpeg });
  const tookS = (performance.now() - startedMs) / 1000;
  for (const { label, start_s, end_s } of truth.actions) {
    console.log(`${start_s.toFixed(2).padStart(8)} ${end_s.toFixed(2).padStart(8)}  ${label}`);
  }
  console.log(`${out}: ${scene.durationS.toFixed(1)} s in ${tookS.toFixed(1)} s`);
}

function number(text: string): number {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) ? value : fail(`not a number: ${text}`);
}

function oneOf<const T extends string>(choices: readonly T[], text: string): T {
  return choices.find((choice) => choice === text) ?? fail(`${text}: one of ${choices.join(', ')} expected`);
}

function fail(message: string): never {
  console.error(`${message}\n\n${USAGE}`);
  process.exit(2);
}
