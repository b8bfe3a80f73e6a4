import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LABELS } from '../../tools/scene/actor.ts';
import { describeClip, writeClipSet } from '../../tools/scene/clips.ts';
import { demoScene, longScene } from '../../tools/scene/ready-made.ts';
import { createSceneRenderer, renderScene } from '../../tools/scene/render.ts';
import { describeScene } from '../../tools/scene/scene.ts';
import { VIEWS } from '../../tools/scene/setting.ts';
import { sceneTruth } from '../../tools/scene/truth.ts';
import { writeSceneVideo } from '../../tools/scene/video.ts';
import type { Scene } from '../../tools/scene/scene.ts';

/** Change of a block's mean grey level, between two frames, that noise (at most about 1.5) does not reach. */
const MOTION = 2.5;
const SMALL = { width: 160, height: 120, fps: 15 };

describe('a generated scene', () => {
  it('has the same bytes each time it is drawn, in whatever order', async () => {
    const options = { ...SMALL, seed: 3, durationS: 2 } as const;
    const visits = [{ startS: -0.5, people: 2, steps: ['fight'], enter: false, leave: false }] as const;

    const inOrder: string[] = [];
    for await (const frame of renderScene(describeScene({ ...options, visits }))) inOrder.push(hash(frame));
    const renderer = createSceneRenderer(describeScene({ ...options, visits }));
    const backwards = inOrder.map((_, index) => hash(renderer.frame(inOrder.length - 1 - index)));

    expect(inOrder).toHaveLength(30);
    expect(backwards.reverse()).toEqual(inOrder);
    expect(new Set(inOrder).size).toBe(30);
  });

  it('is another scene for another seed', () => {
    const frames = [1, 2].map((seed) =>
      hash(createSceneRenderer(describeScene({ ...SMALL, seed, durationS: 1 })).frame(0)),
    );

    expect(frames[0]).not.toBe(frames[1]);
  });

  it.each(VIEWS)('is still but for noise and slow light while nobody is there (%s)', (view) => {
    const scene = describeScene({ ...SMALL, seed: 4, view, durationS: 10 });
    const renderer = createSceneRenderer(scene);

    const first = renderer.frame(0);
    const later = renderer.frame(15);

    // Two frames of independent noise of deviation s differ by 2s/√π on
    // average; light drifts by a few levels at most.
    expect(meanDifference(first, later)).toBeLessThan(1.2 * scene.noise + 2);
    expect(largestBlockChange(scene, first, later)).toBeLessThan(2 * MOTION);
  });

  it.each(['fight', 'fall'] as const)('moves exactly where its truth has actions (%s)', (story) => {
    const scene = demoScene({ ...SMALL, story });
    const renderer = createSceneRenderer(scene);
    const { actions } = sceneTruth(scene, renderer.background);
    const moving = movingTimes(scene, renderer.frame);

    const startS = actions[0]!.start_s;
    const endS = Math.max(...actions.map(({ end_s }) => end_s));

    expect(startS).toBeGreaterThan(7);
    expect(Math.abs(moving[0]! - startS)).toBeLessThanOrEqual(0.2 + 1 / scene.fps);
    expect(Math.abs(moving[moving.length - 1]! - endS)).toBeLessThanOrEqual(0.2 + 1 / scene.fps);
    expect(scene.durationS - endS).toBeGreaterThan(7);
  });

  it.each(['kick', 'falling', 'sitdown', 'push'] as const)(
    'starts to move for a %s when its truth says',
    (label) => {
      const scene = {
        ...describeClip(label, 12, SMALL),
        noise: 0.5,
      };
      const renderer = createSceneRenderer(scene);
      const { actions } = sceneTruth(scene, renderer.background);
      const action = actions.find((candidate) => candidate.label === label)!;
      const moving = movingTimes(scene, renderer.frame);

      const within = moving.filter((time) => time >= action.start_s && time <= action.end_s);

      expect(within[0]! - action.start_s).toBeLessThanOrEqual(0.2 + 1 / scene.fps);
      expect(within.length / scene.fps).toBeGreaterThan(0.6 * (action.end_s - action.start_s));
    },
  );

  it.each(LABELS)('of a labelled clip shows %s in 2 to 4 seconds, its figures in the frame', (label) => {
    for (const seed of [1, 2, 3]) {
      const scene = describeClip(label, seed, { ...SMALL, width: 80, height: 60 });
      const truth = sceneTruth(scene, createSceneRenderer(scene).background);

      expect(scene.durationS).toBeGreaterThanOrEqual(1.9);
      expect(scene.durationS).toBeLessThanOrEqual(4);
      expect(truth.boxes.length).toBeGreaterThan(0);
      if (label === 'none' || label === 'no_fight') {
        expect(truth.actions.map((action) => action.label)).not.toContain('fight');
      } else {
        const action = truth.actions.find((candidate) => candidate.label === label)!;
        expect(action.end_s - action.start_s).toBeGreaterThan(0.7);
        expect(action.end_s).toBeLessThanOrEqual(truth.duration_s);
      }
      for (const box of truth.boxes) {
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThanOrEqual(scene.width);
        expect(box.y + box.height).toBeLessThanOrEqual(scene.height);
      }
    }
  });

  it('of many minutes is empty most of the time', () => {
    const scene = longScene({ ...SMALL, minutes: 20 });
    const { actions } = sceneTruth(scene, createSceneRenderer(scene).background);

    const occupied = new Set<number>();
    for (const { start_s, end_s } of actions) {
      for (let second = Math.floor(start_s); second < end_s; second++) occupied.add(second);
    }

    expect(scene.durationS).toBe(1200);
    expect(occupied.size).toBeGreaterThan(60);
    expect(occupied.size).toBeLessThan(0.4 * scene.durationS);
  });

  it('darkens and brightens when its lamp is switched', () => {
    const lampSwitches = [
      { atS: 1, on: false },
      { atS: 2, on: true },
    ];
    const renderer = createSceneRenderer(
      describeScene({ ...SMALL, seed: 5, view: 'hall', durationS: 3, lampSwitches }),
    );

    const [before, off, after] = [12, 22, 42].map((index) => mean(renderer.frame(index)));

    expect(off!).toBeLessThan(0.9 * before!);
    expect(Math.abs(after! - before!)).toBeLessThan(0.05 * before!);
  });
});

describe('a scene written as video', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'scene-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('has every frame, a key frame each second, and its truth beside it', async () => {
    const path = join(directory, 'room.mp4');
    const visits = [{ startS: 0, people: 1, steps: ['walk'], enter: false, leave: false }] as const;

    const truth = await writeSceneVideo(describeScene({ ...SMALL, seed: 6, durationS: 3, visits }), path);

    const show = ['-v', 'error', '-show_entries', 'packet=flags', '-of', 'csv=p=0', path];
    const packets = (await promisify(execFile)('ffprobe', show)).stdout.trim().split('\n');
    expect(packets).toHaveLength(45);
    expect(packets.filter((flags) => flags.startsWith('K'))).toHaveLength(3);
    expect(JSON.parse(await readFile(join(directory, 'room.json'), 'utf8'))).toEqual(truth);
    expect(truth.actions.map(({ label }) => label)).toContain('walk');
  });

  it('is refused with a remedy where there is no ffmpeg', async () => {
    const scene = describeScene({ ...SMALL, seed: 6, durationS: 1 });

    const writing = writeSceneVideo(scene, join(directory, 'never.mp4'), { ffmpegPath: '/nowhere/ffmpeg' });

    await expect(writing).rejects.toMatchObject({ code: 'FFMPEG_MISSING' });
  });

  it('comes as a set with a manifest row per labelled stretch, labels in turn', async () => {
    const labels = ['fight', 'none', 'falling'] as const;

    await writeClipSet({ directory, count: 3, seed: 2, labels, ...SMALL });

    const [header, ...rows] = (await readFile(join(directory, 'manifest.csv'), 'utf8')).trim().split('\n');
    expect(header).toBe('dataset,path,label,start_s,end_s,group,split,codec,fps,dur,bytes,note');
    const cells = rows.map((row) => row.split(','));
    expect(cells.map((row) => row[2])).toEqual(labels);
    expect(new Set(cells.map((row) => row[5])).size).toBe(3);
    expect(cells[1]!.slice(3, 5)).toEqual(['', '']);
    expect(Number(cells[2]![4])).toBeGreaterThan(Number(cells[2]![3]));
  });
});

/** Middles of the frame intervals in which some block of the frame changes more than noise can explain. */
function movingTimes(scene: Scene, frameAt: (index: number) => Uint8Array): number[] {
  const times: number[] = [];
  let previous = frameAt(0);
  for (let index = 1; index < Math.round(scene.durationS * scene.fps); index++) {
    const frame = frameAt(index);
    if (largestBlockChange(scene, previous, frame) > MOTION) times.push((index - 0.5) / scene.fps);
    previous = frame;
  }
  return times;
}

/** The largest change of an 8 × 8 block's mean grey level between two frames. */
function largestBlockChange({ width, height }: Scene, a: Uint8Array, b: Uint8Array): number {
  const size = 8;
  let largest = 0;
  for (let top = 0; top < height; top += size) {
    for (let left = 0; left < width; left += size) {
      let sum = 0;
      for (let y = top; y < top + size; y++) {
        for (let i = (y * width + left) * 3; i < (y * width + left + size) * 3; i++) sum += a[i]! - b[i]!;
      }
      largest = Math.max(largest, Math.abs(sum) / (size * size * 3));
    }
  }
  return largest;
}

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
}

function mean(frame: Uint8Array): number {
  return frame.reduce((sum, value) => sum + value, 0) / frame.length;
}

function hash(frame: Uint8Array): string {
  return createHash('sha256').update(frame).digest('hex');
}
