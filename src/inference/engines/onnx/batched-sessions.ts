import { at } from '../../../core/at.ts';
import type { InferenceSession } from 'onnxruntime-node';
import { monotonicMs } from '../../../core/time.ts';
import type { SamplingPlan } from '../../../sampler/index.ts';
import type { BatchHalves, SampledClip } from '../../batch/batch-halves.ts';
import type { Halves } from '../../halves-engine.ts';
import type { LowerSteps } from '../../stream/steps.ts';
import { TENSOR, type Graphs } from './build-graphs.ts';
import { openSession, type SessionsOptions } from './open-session.ts';
import type { Runtime } from './runtime.ts';
import { embeddingsOf, floatsOf, giveWay, rowsTensor, sharesFeeds } from './session-tensors.ts';

export type BatchedOptions = SessionsOptions & Required<Pick<SessionsOptions, 'batch'>>;

/**
 * Halves over batched graphs, for clips alone too: so a clip gets the same numbers alone as in a batch. Plans are applied
 * on the CPU whatever the provider is, since that is where features wait for their plan, and few steps are left to be sent.
 */
export async function openBatched(
  runtime: Runtime,
  graphs: Graphs,
  options: BatchedOptions,
): Promise<Halves> {
  const { threads } = options;
  const onCpu = threads === undefined ? {} : { threads };
  const open = (graph: Uint8Array | undefined): Promise<InferenceSession | undefined> =>
    graph ? openSession(runtime, graph, options) : Promise.resolve(undefined);
  const split = 'whole' in graphs ? undefined : graphs;
  const sessions = {
    whole: await open('whole' in graphs ? graphs.whole : undefined),
    padded: await open(split?.lower),
    continued: await open(split?.continued),
    upper: await open(split?.upper),
    sample: split?.sample && (await openSession(runtime, split.sample, onCpu)),
  };
  const batch = createBatchHalves(runtime, sessions, options);
  return {
    run: split ? runSplit(batch, options) : runWhole(batch, options),
    ...(sessions.continued && { steps: stepsOf(batch) }),
    batch,
    release: async () => {
      for (const session of Object.values(sessions)) await session?.release();
    },
  };
}

type Sessions = Readonly<
  Record<'whole' | 'padded' | 'continued' | 'upper' | 'sample', InferenceSession | undefined>
>;

function createBatchHalves(
  runtime: Runtime,
  sessions: Sessions,
  { batch, pixelShape, sharesOf }: BatchedOptions,
): BatchHalves {
  const [clipFrames, ...picture] = pixelShape;
  const stack = createStack();

  const runPixels = (
    session: InferenceSession,
    clips: readonly Uint8Array[],
    frames: number,
  ): Promise<InferenceSession.ReturnType> => {
    const shape = [clips.length, frames, ...picture];
    return session.run({ [TENSOR.pixels]: new runtime.Tensor('uint8', stack(clips), shape) });
  };

  /** The kept steps of all clips, written one after the other as they come. */
  const sample = async (clips: readonly SampledClip[]): Promise<Float32Array> => {
    const first = at(clips, 0);
    const { inputLength, outputLength } = first.plan;
    const size = first.features.length / inputLength;
    const kept = new Float32Array(clips.length * outputLength * size);
    for (const [index, { features, plan }] of clips.entries()) {
      const from = index * outputLength * size;
      const into = kept.subarray(from, from + outputLength * size);
      await need(sessions.sample).run(
        {
          [TENSOR.features]: rowsTensor(runtime, features, inputLength),
          [TENSOR.plan]: new runtime.Tensor('float32', plan.weights, [outputLength, inputLength]),
        },
        { [TENSOR.kept]: rowsTensor(runtime, into, outputLength) },
      );
    }
    return kept;
  };

  return {
    ...batch,
    split: sessions.whole === undefined,
    async lower(parts) {
      const { frames, left } = at(parts, 0);
      const pixels = parts.map((part) => part.pixels);
      const fetched = await runPixels(need(sessions[left]), pixels, frames);
      const features = splitEvenly(floatsOf(fetched, TENSOR.features), parts.length);
      const all = embeddingsOf(fetched);
      const embeddings = splitEvenly(all.data, parts.length);
      const length = all.length / parts.length;
      return parts.map((_, n): LowerSteps => {
        const data = at(embeddings, n);
        return { features: at(features, n), embeddings: { length, size: all.size, data } };
      });
    },
    async upper(clips) {
      const { outputLength } = at(clips, 0).plan;
      const kept = await sample(clips);
      const shape = [clips.length, outputLength, kept.length / clips.length / outputLength];
      const fetched = await need(sessions.upper).run({
        [TENSOR.kept]: new runtime.Tensor('float32', kept, shape),
        ...sharesFeeds(
          runtime,
          { sharesOf },
          clips.map(({ plan }) => plan),
        ),
      });
      return splitEvenly(floatsOf(fetched, TENSOR.logits), clips.length);
    },
    async whole(clips) {
      const fetched = await runPixels(need(sessions.whole), clips, clipFrames);
      return splitEvenly(floatsOf(fetched, TENSOR.logits), clips.length);
    },
  };
}

function runWhole(batch: BatchHalves, { steps }: BatchedOptions): Halves['run'] {
  return async (pixels, planOf) => {
    const startedMs = monotonicMs();
    const plan = planOf({ length: steps, size: 0, data: new Float32Array() });
    const logits = at(await batch.whole([pixels]), 0);
    return { logits, plan, lowerMs: monotonicMs() - startedMs, samplerMs: 0, upperMs: 0 };
  };
}

function runSplit(batch: BatchHalves, { pixelShape: [frames] }: BatchedOptions): Halves['run'] {
  return async (pixels, planOf, signal) => {
    const startedMs = monotonicMs();
    const lowered = at(await batch.lower([{ pixels, frames, left: 'padded' }]), 0);
    const { features, embeddings } = lowered;
    const lowerMs = monotonicMs() - startedMs;
    await giveWay(signal);
    const samplingMs = monotonicMs();
    const plan: SamplingPlan = planOf(embeddings);
    const samplerMs = monotonicMs() - samplingMs;
    await giveWay(signal);
    const upperMs = monotonicMs();
    const logits = at(await batch.upper([{ features, plan }]), 0);
    return { logits, plan, lowerMs, samplerMs, upperMs: monotonicMs() - upperMs };
  };
}

/** The halves one by one, of one clip. */
function stepsOf(batch: BatchHalves): NonNullable<Halves['steps']> {
  return {
    lower: async (pixels, frames, left) => {
      const lowered = at(await batch.lower([{ pixels, frames, left }]), 0);
      return lowered;
    },
    upper: async (features, plan) => {
      const logits = at(await batch.upper([{ features, plan }]), 0);
      return logits;
    },
  };
}

/** Clips as one block, in memory that is used again; one that ONNX Runtime can read as it is stays where it is. */
function createStack(): (clips: readonly Uint8Array[]) => Uint8Array {
  let block = new Uint8Array();
  return (clips) => {
    const [first] = clips;
    if (clips.length === 1 && first?.buffer instanceof ArrayBuffer) return first;
    const total = clips.reduce((sum, { length }) => sum + length, 0);
    if (block.length < total) block = new Uint8Array(total);
    let at = 0;
    for (const clip of clips) {
      block.set(clip, at);
      at += clip.length;
    }
    return block.subarray(0, total);
  };
}

/** Views of equally long parts. */
function splitEvenly(data: Float32Array, parts: number): readonly Float32Array<ArrayBuffer>[] {
  const size = data.length / parts;
  return Array.from({ length: parts }, (_, n) => data.subarray(n * size, (n + 1) * size) as never);
}

function need(session: InferenceSession | undefined): InferenceSession {
  if (!session) throw new TypeError('the network has no such graph');
  return session;
}
