import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { InferenceEngine } from '../../src/inference/engine.ts';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import { openModel } from '../../src/inference/worker/spec.ts';
import { samplerName, type Case } from './cases.ts';
import type { Task } from './videos.ts';
import { pixelsOf, type VideoWindows } from './windows.ts';

/** What a case said of one window. */
export interface WindowResult {
  readonly startS: number;
  readonly endS: number;
  /** One a label of the model. */
  readonly scores: readonly number[];
  readonly keptSteps: number;
  readonly multiplyAdds: number;
}

export interface VideoResult {
  readonly task: Task;
  readonly name: string;
  readonly windows: readonly WindowResult[];
}

export interface Prediction {
  readonly labels: readonly string[];
  readonly inputSteps: number;
  readonly denseMultiplyAdds: number;
  readonly videos: readonly VideoResult[];
}

/**
 * The engine of a case, on the calling thread; each clip is computed whole,
 * whatever it shares with its neighbours.
 */
export async function openCase({ model, sgs }: Case, threads: number): Promise<InferenceEngine> {
  const opened = await openModel({ kind: 'file', path: model, ...(sgs && { network: { sgs } }) });
  return createOnnxEngine({ model: opened, threads, reuse: null });
}

export interface PredictOptions {
  readonly folder: string;
  readonly split: string;
  readonly threads: number;
  /** Only what is in the folder. */
  readonly knownOnly: boolean;
}

/**
 * The results of a case over all windows; taken from `folder` where the same weights were
 * run the same way before. Undefined where they would have to be computed and must not.
 */
export async function predictCase(
  one: Case,
  windows: readonly VideoWindows[],
  { folder, split, threads, knownOnly }: PredictOptions,
): Promise<Prediction | undefined> {
  const file = path.join(folder, await nameOf(one, split, windows));
  if (existsSync(file)) return JSON.parse(await readFile(file, 'utf8')) as Prediction;
  if (knownOnly) return undefined;
  await using engine = await openCase(one, threads);
  const prediction = await runOver(engine, one, windows);
  await mkdir(folder, { recursive: true });
  await writeFile(`${file}.partial`, JSON.stringify(prediction));
  await rename(`${file}.partial`, file);
  return prediction;
}

async function runOver(
  engine: InferenceEngine,
  { sampler, order }: Case,
  windows: readonly VideoWindows[],
): Promise<Prediction> {
  const videos: VideoResult[] = [];
  let inputSteps = 0;
  let denseMultiplyAdds = 0;
  for (const { video, clips } of windows) {
    const results: WindowResult[] = [];
    for (const clip of clips) {
      const { scores, compute } = await engine.infer(pixelsOf(clip, order), { sampler });
      ({ inputSteps, denseMultiplyAdds } = compute);
      results.push({
        startS: clip.startUs / 1e6,
        endS: clip.endUs / 1e6,
        scores: Array.from(scores, (score) => Number(score.toFixed(6))),
        keptSteps: compute.keptSteps,
        multiplyAdds: compute.multiplyAdds,
      });
    }
    videos.push({ task: video.task, name: video.name, windows: results });
  }
  return { labels: engine.info.labels, inputSteps, denseMultiplyAdds, videos };
}

/** Named after what it depends on: weights, place and embedding, sampler, order, split and windows. */
async function nameOf(one: Case, split: string, windows: readonly VideoWindows[]): Promise<string> {
  const manifest = await readFile(path.join(one.model, 'manifest.json'), 'utf8');
  const counts = windows.map(({ video, clips }) => [video.name, clips.length]);
  const key = JSON.stringify([manifest, one.sgs, one.sampler, one.order, split, counts]);
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 12);
  const words = [path.basename(one.model), one.sgs?.after, samplerName(one.sampler), one.order];
  return `${words.filter(Boolean).join(' ').replaceAll(' ', '_')}-${digest}.json`;
}
