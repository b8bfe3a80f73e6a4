import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Model } from '../../src/inference/model.ts';
import { writeSafetensors } from '../../src/inference/weights/safetensors.ts';
import { createUntrainedModel } from '../../src/inference/weights/untrained-model.ts';
import { ffmpeg } from './lavfi.ts';

/** Those of the shipped models. */
export const LABELS = [
  'background',
  'fight',
  'handshake',
  'hug',
  'kick',
  'point',
  'punch',
  'push',
  'walk',
  'fall',
];

/**
 * Random weights of 8 frames of 32² at 10 a second, whose scores lie around a half, and so do the
 * thresholds. Its clips share no steps; with the short stem of the shipped model (`shares`) they do.
 */
export function tinyModel(labels: readonly string[], { shares = false } = {}): Model {
  const network = {
    ...{ variant: 's3d-g', frames: 8, height: 32, width: 32, widthMultiplier: 0.05, classes: labels.length },
    ...(shares && ({ stem: 'dense', input: { kind: 'motion' } } as const)),
    sgs: { after: 'Conv_2b', embedding: { kind: 'pooled', grid: 2 }, boundary: 'nearest_complete' },
  } as const;
  const clip = { fps: 10, stride: 4 };
  const { manifest, ...model } = createUntrainedModel({ network, seed: 3, labels, clip });
  const thresholds = Object.fromEntries(labels.map((label) => [label, { on: 0.5, off: 0.499 }]));
  const background = labels.includes('background') ? { background: 'background' } : {};
  return { ...model, manifest: { ...manifest, activation: 'sigmoid', thresholds, ...background } };
}

/** A head of its own, by number, on the backbone of `tinyModel`. */
export function headed(labels: readonly string[], head = 1): Model {
  const model = tinyModel(labels);
  const other = createUntrainedModel({ network: model.manifest.network, seed: 3 + head, labels });
  const tensors = ['Head.weight', 'Head.bias'].map((name) => [name, other.weights.get(name)!] as const);
  const weights = new Map([...model.weights, ...tensors]);
  const sha256 = createHash('sha256').update(writeSafetensors(weights)).digest('hex');
  const manifest = {
    ...model.manifest,
    id: `of-${labels.at(-1) ?? ''}`,
    weights: { ...model.manifest.weights, sha256 },
  };
  return { manifest, weights, digest: `sha256:${sha256}` };
}

export async function saveModel(folder: string, { manifest, weights }: Model): Promise<string> {
  await mkdir(folder);
  await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
  await writeFile(path.join(folder, 'model.safetensors'), writeSafetensors(weights));
  return folder;
}

/** `forwards.mkv` and `backwards.mkv` (8 frames at 10 a second), `long.mp4` (6 s) and `broken.mp4`. */
export async function writeClips(folder: string): Promise<void> {
  await mkdir(folder);
  const to = (name: string): string => path.join(folder, name);
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=96x64:rate=10:duration=1'];
  const exact = ['-c:v', 'ffv1', '-frames:v', '8'];
  await ffmpeg(...source, ...exact, to('forwards.mkv'));
  await ffmpeg(...source, '-vf', 'trim=end_frame=8,reverse', ...exact, to('backwards.mkv'));
  await ffmpeg('-f', 'lavfi', '-i', 'mandelbrot=size=96x64:rate=10', '-t', '6', to('long.mp4'));
  await writeFile(to('broken.mp4'), 'this is no video');
}

/** A manifest of these rows beside the clips. */
export async function writeManifest(folder: string, rows: readonly string[]): Promise<string> {
  const file = path.join(folder, 'manifest.csv');
  await writeFile(file, ['dataset,path,label,start_s,end_s,split', ...rows].join('\n'));
  return file;
}
