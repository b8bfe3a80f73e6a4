import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { demoScene } from '../scene/ready-made.ts';
import { writeSceneVideo } from '../scene/video.ts';
import { drawKeptSteps } from './draw-kept-steps.ts';

// `npm run docs:pictures`: the README's pictures, made by the program itself from a scene like the demo's.

interface InferLine {
  readonly start_ms: number;
  readonly end_ms: number;
  readonly compute: {
    input_steps: number;
    kept_steps: number;
    multiply_adds: number;
    dense_multiply_adds: number;
  };
}

const ROOT = path.join(import.meta.dirname, '..', '..');
const IMAGES = path.join(ROOT, 'docs', 'images');
const FRAMES = 8;
const MODEL =
  '--model s3d-g --width 0.5 --frames 32 --size 112 --classes 8 --sampler ordered --delta 0.05 --fps 15 --clip-stride 16';

const directory = mkdtempSync(path.join(tmpdir(), 'actionstream-pictures-'));
try {
  const video = path.join(directory, 'scene.mp4');
  const truth = await writeSceneVideo(demoScene(), video);
  const every = truth.duration_s / FRAMES;
  const strip = `fps=1/${every},scale=160:-1,tile=${FRAMES}x1:padding=2`;
  run('ffmpeg', [
    '-v',
    'error',
    '-y',
    '-i',
    video,
    '-vf',
    strip,
    '-frames:v',
    '1',
    path.join(IMAGES, 'scene.png'),
  ]);
  const output = run(process.execPath, ['dist/main.js', 'infer', video, '--json', ...MODEL.split(' ')]);
  const clips = output
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const { start_ms: start, end_ms: end, compute } = JSON.parse(line) as InferLine;
      return {
        startS: start / 1000,
        endS: end / 1000,
        keptSteps: compute.kept_steps,
        inputSteps: compute.input_steps,
        savedRatio: 1 - compute.multiply_adds / compute.dense_multiply_adds,
      };
    });
  const actions = truth.actions.map(({ label, start_s: startS, end_s: endS }) => ({ label, startS, endS }));
  writeFileSync(path.join(IMAGES, 'kept-steps.svg'), drawKeptSteps(clips, actions, truth.duration_s));
} finally {
  rmSync(directory, { recursive: true, force: true });
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
