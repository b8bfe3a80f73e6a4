import { setImmediate } from 'node:timers/promises';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { ActionstreamError } from '../../../core/errors.ts';
import type { Embeddings, SamplingPlan } from '../../../sampler/index.ts';
import { TENSOR } from './build-graphs.ts';
import type { SessionsOptions } from './open-session.ts';
import type { Runtime } from './runtime.ts';

/** Lets an abort come through: ONNX Runtime computes on this thread, and messages wait meanwhile. */
export async function giveWay(signal: AbortSignal): Promise<void> {
  await setImmediate();
  if (signal.aborted) throw new ActionstreamError('ABORTED', 'inference was interrupted');
}

/** [rows, …] as a matrix. */
export function rowsTensor(runtime: Runtime, data: Float32Array, rows: number): Tensor {
  return new runtime.Tensor('float32', data, [rows, data.length / rows]);
}

/** The shares of equally many steps of some clips, each [n, t]; see SessionsOptions. */
export function sharesFeeds(
  runtime: Runtime,
  { sharesOf }: Pick<SessionsOptions, 'sharesOf'>,
  plans: readonly SamplingPlan[],
): Record<string, Tensor> {
  const [first, ...others] = plans.map(sharesOf);
  return Object.fromEntries(
    Array.from(first ?? [], ([name, own]) => {
      const clips = [own, ...others.map((shares) => shares.get(name) ?? own)];
      const data = Float32Array.from(clips.flatMap((shares) => Array.from(shares)));
      return [name, new runtime.Tensor('float32', data, [clips.length, own.length])];
    }),
  );
}

export function embeddingsOf(fetched: InferenceSession.ReturnType): Embeddings {
  const { dims } = tensorOf(fetched, TENSOR.embeddings);
  const [length = 0, size = 0] = dims;
  return { length, size, data: floatsOf(fetched, TENSOR.embeddings) };
}

export function floatsOf(fetched: InferenceSession.ReturnType, name: string): Float32Array {
  const { data } = tensorOf(fetched, name);
  if (!(data instanceof Float32Array)) throw new TypeError(`output "${name}" is not float32`);
  return data;
}

export function tensorOf(fetched: InferenceSession.ReturnType, name: string): Tensor {
  const tensor = fetched[name];
  if (!tensor) throw new TypeError(`the graph has no output "${name}"`);
  return tensor;
}
