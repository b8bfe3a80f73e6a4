import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { evaluate } from '../../src/lab/harness/evaluate.ts';
import type { EvaluationRequest } from '../../src/lab/harness/types.ts';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import { openModel } from '../../src/inference/worker/spec.ts';
import { readPredictions } from './predictions.ts';

export interface ProductRun {
  /** Model folder. */
  readonly model: string;
  /** manifest.csv */
  readonly data: string;
  readonly split: string;
  readonly datasets: readonly string[];
  readonly sampler: EvaluationRequest['sampler'];
  readonly threads?: number;
}

/**
 * `actionstream evaluate --predictions FILE`, in this process; what an earlier
 * call wrote there is taken as it is.
 * @throws Error where a video could not be evaluated
 */
export async function predictionsOf(
  file: string,
  { model, data, split, datasets, sampler, threads }: ProductRun,
): ReturnType<typeof readPredictions> {
  if (existsSync(file)) return readPredictions(file);
  const request: EvaluationRequest = {
    ...{ data, format: 'manifest', split, datasets, tasks: {}, sampler, window: {}, order: 'normal' },
    ...{ views: { crops: 1 }, seed: 0, predictions: `${file}.partial` },
    model: { model, seed: 0, engine: { kind: 'onnx' }, network: {}, sgsForced: false },
  };
  let [done, all] = [0, 0];
  const observer = {
    onReady(_: unknown, videos: number) {
      all = videos;
    },
    onNote(note: string) {
      process.stderr.write(`${note}\n`);
    },
    onVideo() {
      done += 1;
      process.stderr.write(
        `\r${JSON.stringify(sampler)} ${done} of ${all} videos${done === all ? '\n' : ''}`,
      );
    },
  };
  const openEngine = async () =>
    createOnnxEngine({
      model: await openModel({ kind: 'file', path: model }),
      ...(threads !== undefined && { threads }),
    });
  const { signal } = new AbortController();
  const context = { version: 'thresholds', env: process.env, signal, openEngine };
  const { failed } = await evaluate(request, observer, context);
  if (failed.length > 0) throw new Error(failed.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  await rename(`${file}.partial`, file);
  return readPredictions(file);
}
