import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Embeddings, SamplingPlan } from '../../../sampler/index.ts';
import type { Network } from '../../network/graph.ts';
import { timeMeansOf, timeShares } from '../../network/time-shares.ts';
import { sharesTensor, TENSOR } from './build-graphs.ts';
import type { Runtime } from './runtime.ts';

/** [rows, …] as a matrix. */
export function rowsTensor(runtime: Runtime, data: Float32Array, rows: number): Tensor {
  return new runtime.Tensor('float32', data, [rows, data.length / rows]);
}

/**
 * A tensor for the features to be written to, in the shape that the graph gives them: [t, …], or
 * [1, t, …] for the one clip.
 */
export function featuresTensor(runtime: Runtime, session: InferenceSession, data: Float32Array): Tensor {
  const output = session.outputMetadata.find(({ name }) => name === TENSOR.features);
  const shape = output?.isTensor ? output.shape : [];
  const time = shape.findLastIndex((dimension) => typeof dimension === 'string');
  const row = shape.slice(time + 1).map(Number);
  const steps = data.length / row.reduce((a, b) => a * b, 1);
  const clips = shape.slice(0, time).map(() => 1);
  return new runtime.Tensor('float32', data, [...clips, steps, ...row]);
}

/**
 * What the upper graph of a network is fed beside the kept steps: for each level of means over time
 * the shares of the steps, [n, t], from plans that keep equally many.
 */
export function createShareFeeds(
  runtime: Runtime,
  network: Network,
): (plans: readonly SamplingPlan[]) => Record<string, Tensor> {
  const nodes = new Map(timeMeansOf(network).map((mean) => [sharesTensor(mean), mean.node]));
  return (plans) => {
    if (nodes.size === 0) return {};
    const shares = plans.map(({ counts }) => timeShares(network, counts));
    return Object.fromEntries(
      Array.from(nodes, ([name, node]) => {
        const data = Float32Array.from(shares.flatMap((own) => Array.from(own.get(node) ?? [])));
        return [name, new runtime.Tensor('float32', data, [plans.length, data.length / plans.length])];
      }),
    );
  };
}

/** The embeddings of equally long parts. */
export function embeddingsOf(fetched: InferenceSession.ReturnType, parts: number): readonly Embeddings[] {
  const { dims } = tensorOf(fetched, TENSOR.embeddings);
  const [length = 0, size = 0] = dims;
  const rows = splitEvenly(floatsOf(fetched, TENSOR.embeddings), parts);
  return rows.map((data) => ({ length: length / parts, size, data }));
}

export function floatsOf(fetched: InferenceSession.ReturnType, name: string): Float32Array<ArrayBuffer> {
  const { data } = tensorOf(fetched, name);
  if (!(data instanceof Float32Array)) throw new TypeError(`output "${name}" is not float32`);
  return data as Float32Array<ArrayBuffer>;
}

function tensorOf(fetched: InferenceSession.ReturnType, name: string): Tensor {
  const tensor = fetched[name];
  if (!tensor) throw new TypeError(`the graph has no output "${name}"`);
  return tensor;
}

/** Views of equally long parts. */
export function splitEvenly(
  data: Float32Array<ArrayBuffer>,
  parts: number,
): readonly Float32Array<ArrayBuffer>[] {
  const size = data.length / parts;
  return Array.from({ length: parts }, (_, n) => data.subarray(n * size, (n + 1) * size));
}

/**
 * Pixels of clips as one block, in memory that is used again. A single clip stays where it is,
 * unless its memory is shared: ONNX Runtime does not read that.
 */
export function createStack(): (clips: readonly Uint8Array[]) => Uint8Array {
  let block = new Uint8Array();
  return (clips) => {
    const [first] = clips;
    if (clips.length === 1 && first?.buffer instanceof ArrayBuffer) return first;
    const total = clips.reduce((sum, { length }) => sum + length, 0);
    if (block.length < total) block = new Uint8Array(total);
    let end = 0;
    for (const clip of clips) {
      block.set(clip, end);
      end += clip.length;
    }
    return block.subarray(0, total);
  };
}
