import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../src/core/median.ts';

/**
 * Time of the clips of a real video with each sampler, interleaved, as the built program spends it:
 *
 *     npx tsx bench/clip-times.ts VIDEO [--rounds 3] [--threads 2]
 */
const SAMPLERS = [
  ['none', ['--sampler', 'none']],
  ['uniform 2', ['--sampler', 'uniform', '--stride', '2']],
  ['ordered 0.05', ['--sampler', 'ordered', '--delta', '0.05']],
] as const;

const NETWORK =
  '--model s3d-g --width 0.5 --frames 32 --size 112 --classes 8 --fps 15 --clip-stride 32 --sgs-after Conv_2b';

interface Compute {
  readonly input_steps: number;
  readonly kept_steps: number;
  readonly multiply_adds: number;
  readonly dense_multiply_adds: number;
  readonly lower_ms: number;
  readonly sampler_ms: number;
  readonly upper_ms: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, threads: { type: 'string', default: '2' } },
});
const [video] = positionals;
if (video === undefined)
  throw new Error('usage: npx tsx bench/clip-times.ts VIDEO [--rounds 3] [--threads 2]');

const seconds = new Map<string, number[]>();
const last = new Map<string, readonly Compute[]>();
for (let round = 0; round < Number(values.rounds); round += 1) {
  for (const [name, flags] of SAMPLERS) {
    const clips = inferClips(video, flags);
    seconds.set(name, [...(seconds.get(name) ?? []), sum(clips, timeOf) / 1000]);
    last.set(name, clips);
  }
}

const dense = seconds.get('none')!;
console.log('sampler        clips  steps kept  multiply-adds  seconds  time / none (each round)');
for (const [name, clips] of last) {
  const ratios = seconds.get(name)!.map((value, round) => value / dense[round]!);
  const cells = [
    name.padEnd(14),
    String(clips.length).padStart(5),
    (sum(clips, (c) => c.kept_steps) / sum(clips, (c) => c.input_steps)).toFixed(3).padStart(11),
    (sum(clips, (c) => c.multiply_adds) / sum(clips, (c) => c.dense_multiply_adds)).toFixed(3).padStart(14),
    median(seconds.get(name)!).toFixed(2).padStart(8),
    ` ${median(ratios).toFixed(3)} (${ratios.map((ratio) => ratio.toFixed(3)).join(' ')})`,
  ];
  console.log(cells.join(' '));
}

function inferClips(input: string, flags: readonly string[]): readonly Compute[] {
  const main = path.join(import.meta.dirname, '..', 'dist', 'main.js');
  const args = [main, 'infer', input, '--json', '--threads', values.threads, ...NETWORK.split(' '), ...flags];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { compute: Compute }).compute);
}

function timeOf(clip: Compute): number {
  return clip.lower_ms + clip.sampler_ms + clip.upper_ms;
}

function sum(clips: readonly Compute[], value: (clip: Compute) => number): number {
  return clips.reduce((total, clip) => total + value(clip), 0);
}
