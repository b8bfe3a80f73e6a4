import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { demoScene } from '../scene/ready-made.ts';
import { writeSceneVideo } from '../scene/video.ts';
import { drawPipeline } from './draw-pipeline.ts';
import { drawRun } from './draw-run.ts';
import type { DrawnRun } from './draw-run.ts';

// `npm run docs:images`: the README's images. The program itself makes them from the scene of the demo.

interface Compute {
  readonly input_steps: number;
  readonly kept_steps: number;
  readonly multiply_adds: number;
  readonly dense_multiply_adds: number;
}

type RunRecord =
  | { readonly type: 'clip.stats'; readonly payload: { clip_start: string; compute: Compute } }
  | {
      readonly type: 'action.event';
      readonly payload: { state: string; label: string; started_at: string; ended_at: string };
    }
  | { readonly type: 'stream.status' | 'stream.gap' };

const ROOT = path.join(import.meta.dirname, '..', '..');
const IMAGES = path.join(ROOT, 'docs', 'images');
const FRAMES = 8;

const directory = mkdtempSync(path.join(tmpdir(), 'actionstream-images-'));
try {
  const video = path.join(directory, 'scene.mp4');
  const truth = await writeSceneVideo(demoScene({ view: 'ceiling' }), video);
  const strip = `fps=1/${truth.duration_s / FRAMES},scale=160:-1,tile=${FRAMES}x1:padding=2`;
  const image = path.join(IMAGES, 'scene.png');
  run('ffmpeg', ['-v', 'error', '-y', '-i', video, '-vf', strip, '-frames:v', '1', image]);

  const journal = path.join(directory, 'journal');
  const output = run(process.execPath, [
    'dist/main.js',
    'run',
    '--source',
    video,
    '--journal',
    journal,
    '--json',
  ]);
  const actions = truth.actions.map(({ label, start_s: startS, end_s: endS }) => ({ label, startS, endS }));
  const drawn = { ...readRun(output), truth: actions, durationS: truth.duration_s };
  writeFileSync(path.join(IMAGES, 'run.svg'), drawRun(drawn));
  writeFileSync(path.join(IMAGES, 'pipeline.svg'), drawPipeline());
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function readRun(ndjson: string): Pick<DrawnRun, 'clips' | 'events' | 'savedRatio'> {
  const records = ndjson
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RunRecord);
  const clips = records.flatMap((record) => (record.type === 'clip.stats' ? [record.payload] : []));
  const events = records.flatMap((record) =>
    record.type === 'action.event' && record.payload.state === 'ended' ? [record.payload] : [],
  );
  const sum = (of: (compute: Compute) => number): number =>
    clips.reduce((total, { compute }) => total + of(compute), 0);
  return {
    clips: clips.map(({ clip_start: start, compute }) => ({
      startS: Date.parse(start) / 1000,
      keptSteps: compute.kept_steps,
      inputSteps: compute.input_steps,
    })),
    events: events.map(({ label, started_at: start, ended_at: end }) => ({
      label,
      startS: Date.parse(start) / 1000,
      endS: Date.parse(end) / 1000,
    })),
    savedRatio: 1 - sum((c) => c.multiply_adds) / sum((c) => c.dense_multiply_adds),
  };
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr}`);
  return stdout;
}
