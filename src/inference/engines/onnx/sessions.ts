import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { monotonicMs } from '../../../core/time.ts';
import type { Halves } from '../../halves-engine.ts';
import type { StepHalves } from '../../stream/steps.ts';
import { openBatched } from './batched-sessions.ts';
import { TENSOR, type Graphs } from './build-graphs.ts';
import { openSession, type SessionsOptions } from './open-session.ts';
import { loadRuntime, type Runtime } from './runtime.ts';
import { embeddingsOf, floatsOf, giveWay, rowsTensor, sharesFeeds } from './session-tensors.ts';

/** @throws ActionstreamError ENGINE_UNAVAILABLE where ONNX Runtime has no binary for this machine or refuses the graph */
export async function openSessions(graphs: Graphs, options: SessionsOptions): Promise<Halves> {
  const runtime = await loadRuntime();
  const { batch } = options;
  if (batch) return openBatched(runtime, graphs, { ...options, batch });
  if ('whole' in graphs)
    return openWhole(runtime, await openSession(runtime, graphs.whole, options), options);
  const [lower, upper] = [
    await openSession(runtime, graphs.lower, options),
    await openSession(runtime, graphs.upper, options),
  ];
  const split = openSplit(runtime, { lower, upper }, options);
  if (!graphs.continued) return split;
  const continued = await openSession(runtime, graphs.continued, options);
  return {
    ...split,
    steps: openSteps(runtime, { padded: lower, continued, upper }, options),
    release: async () => {
      await split.release();
      await continued.release();
    },
  };
}

function openWhole(runtime: Runtime, session: InferenceSession, options: SessionsOptions): Halves {
  const toTensor = createPixelReader(runtime, options);
  return {
    async run(pixels, planOf) {
      const startedMs = monotonicMs();
      const plan = planOf({ length: options.steps, size: 0, data: new Float32Array() });
      const fetched = await session.run({ [TENSOR.pixels]: toTensor(pixels) });
      return {
        logits: floatsOf(fetched, TENSOR.logits),
        plan,
        lowerMs: monotonicMs() - startedMs,
        samplerMs: 0,
        upperMs: 0,
      };
    },
    release: () => session.release(),
  };
}

function openSplit(
  runtime: Runtime,
  { lower, upper }: { readonly lower: InferenceSession; readonly upper: InferenceSession },
  options: SessionsOptions,
): Halves {
  const toTensor = createPixelReader(runtime, options);
  return {
    async run(pixels, planOf, signal) {
      const startedMs = monotonicMs();
      const halfway = await lower.run({ [TENSOR.pixels]: toTensor(pixels) });
      const loweredMs = monotonicMs();
      await giveWay(signal);
      const samplingMs = monotonicMs();
      const plan = planOf(embeddingsOf(halfway));
      const sampledMs = monotonicMs();
      await giveWay(signal);
      const upperMs = monotonicMs();
      const fetched = await upper.run({
        [TENSOR.features]: rowsTensor(runtime, floatsOf(halfway, TENSOR.features), plan.inputLength),
        [TENSOR.plan]: new runtime.Tensor('float32', plan.weights, [plan.outputLength, plan.inputLength]),
        ...sharesFeeds(runtime, options, [plan]),
      });
      return {
        logits: floatsOf(fetched, TENSOR.logits),
        plan,
        lowerMs: loweredMs - startedMs,
        samplerMs: sampledMs - samplingMs,
        upperMs: monotonicMs() - upperMs,
      };
    },
    release: async () => {
      await lower.release();
      await upper.release();
    },
  };
}

/** The halves one by one, for as many frames as come. */
function openSteps(
  runtime: Runtime,
  sessions: Readonly<Record<'padded' | 'continued' | 'upper', InferenceSession>>,
  options: SessionsOptions,
): StepHalves {
  const toTensor = createPixelReader(runtime, options);
  return {
    async lower(pixels, frames, left, into) {
      const session = sessions[left];
      const feeds = { [TENSOR.pixels]: toTensor(pixels, frames) };
      const fetched = await (into
        ? session.run(feeds, {
            [TENSOR.features]: featuresTensor(runtime, session, into),
            [TENSOR.embeddings]: null,
          })
        : session.run(feeds));
      const features = into ?? (floatsOf(fetched, TENSOR.features) as Float32Array<ArrayBuffer>);
      return { features, embeddings: embeddingsOf(fetched) };
    },
    async upper(features, plan) {
      const steps = plan.inputLength;
      const fetched = await sessions.upper.run({
        [TENSOR.features]: rowsTensor(runtime, features, steps),
        [TENSOR.plan]: new runtime.Tensor('float32', plan.weights, [plan.outputLength, steps]),
        ...sharesFeeds(runtime, options, [plan]),
      });
      return floatsOf(fetched, TENSOR.logits);
    },
  };
}

/** ONNX Runtime does not read shared memory: such pixels are copied first, here, off the main thread. */
function createPixelReader(
  runtime: Runtime,
  { pixelShape }: SessionsOptions,
): (pixels: Uint8Array, frames?: number) => Tensor {
  const [clipFrames, ...picture] = pixelShape;
  let own = new Uint8Array();
  return (pixels, frames = clipFrames) => {
    const shape = [frames, ...picture];
    if (pixels.buffer instanceof ArrayBuffer) return new runtime.Tensor('uint8', pixels, shape);
    if (own.length !== pixels.length) own = new Uint8Array(pixels.length);
    own.set(pixels);
    return new runtime.Tensor('uint8', own, shape);
  };
}

/** A tensor for the features to be written to, in the shape that the graph gives them: [t, …], or [1, t, …] for the one clip. */
function featuresTensor(runtime: Runtime, session: InferenceSession, data: Float32Array): Tensor {
  const output = session.outputMetadata.find(({ name }) => name === TENSOR.features);
  const shape = output?.isTensor ? output.shape : [];
  const time = shape.findLastIndex((dimension) => typeof dimension === 'string');
  const row = shape.slice(time + 1).map(Number);
  const steps = data.length / row.reduce((a, b) => a * b, 1);
  const clips = shape.slice(0, time).map(() => 1);
  return new runtime.Tensor('float32', data, [...clips, steps, ...row]);
}
