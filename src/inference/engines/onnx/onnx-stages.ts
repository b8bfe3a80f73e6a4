import type { InferenceSession } from 'onnxruntime-node';
import { at } from '../../../core/at.ts';
import type { EngineStages, LowerPart, SampledClip } from '../../engine-stages.ts';
import { countCost } from '../../network/cost.ts';
import type { Network } from '../../network/graph.ts';
import { TENSOR, type Graphs } from './build-graphs.ts';
import { openSession, type SessionOptions } from './open-session.ts';
import { loadRuntime, type Runtime } from './runtime.ts';
import {
  createShareFeeds,
  createStack,
  embeddingsOf,
  featuresTensor,
  floatsOf,
  rowsTensor,
  splitEvenly,
} from './session-tensors.ts';

export interface OnnxStagesOptions extends SessionOptions {
  /** Clips of one call; above 1 the graphs must be batched. */
  readonly maxClips?: number;
}

/**
 * The stages of a network as ONNX Runtime sessions. Batched graphs serve single clips too, so a
 * clip gets the same numbers alone as in a batch.
 * @throws ActionstreamError ENGINE_UNAVAILABLE where ONNX Runtime has no binary for this machine or
 * refuses a graph
 */
export async function openOnnxStages(
  network: Network,
  graphs: Graphs,
  { maxClips = 1, ...options }: OnnxStagesOptions,
): Promise<EngineStages> {
  const runtime = await loadRuntime();
  const sessions = await openSessions(runtime, graphs, options);
  const release = async (): Promise<void> => {
    const { padded, continued, upper, sample } = sessions;
    for (const session of [padded, continued, upper, sample]) await session?.release();
  };
  const lower = createLower(runtime, sessions, { network, batched: maxClips > 1 });
  if ('whole' in graphs) return { maxClips, lower, release };
  const upper = createUpper(runtime, sessions, network);
  return { maxClips, lower, upper, release };
}

interface Sessions {
  /** The lower stage; of a network without SGS layer all of it. */
  readonly padded: InferenceSession;
  readonly continued?: InferenceSession | undefined;
  readonly upper?: InferenceSession | undefined;
  /** Applies a clip's plan; of batched graphs, whose upper one begins with the kept steps. */
  readonly sample?: InferenceSession | undefined;
}

async function openSessions(runtime: Runtime, graphs: Graphs, options: SessionOptions): Promise<Sessions> {
  const open = (graph: Uint8Array): Promise<InferenceSession> => openSession(runtime, graph, options);
  if ('whole' in graphs) return { padded: await open(graphs.whole) };
  const { lower, continued, upper, sample } = graphs;
  const { threads } = options;
  // On the CPU whatever the provider is: there features wait for their plan, and few steps are left
  // to be sent.
  const onCpu = threads === undefined ? {} : { threads };
  return {
    padded: await open(lower),
    continued: continued && (await open(continued)),
    upper: await open(upper),
    sample: sample && (await openSession(runtime, sample, onCpu)),
  };
}

function createLower(
  runtime: Runtime,
  sessions: Sessions,
  { network, batched }: { readonly network: Network; readonly batched: boolean },
): EngineStages['lower'] {
  const { height, width } = network.options;
  const { inputSteps } = countCost(network);
  const stack = createStack();

  const run = (parts: readonly LowerPart[]): Promise<InferenceSession.ReturnType> => {
    const { frames, left, into } = at(parts, 0);
    const session = need(sessions[left]);
    const shape = [...(batched ? [parts.length] : []), frames, height, width, 3];
    const pixels = new runtime.Tensor('uint8', stack(parts.map((part) => part.pixels)), shape);
    const feeds = { [TENSOR.pixels]: pixels };
    if (!into || parts.length > 1) return session.run(feeds);
    const features = featuresTensor(runtime, session, into);
    return session.run(feeds, { [TENSOR.features]: features, [TENSOR.embeddings]: null });
  };

  return async (parts) => {
    const fetched = await run(parts);
    if (!sessions.upper) {
      const embeddings = { length: inputSteps, size: 0, data: new Float32Array() };
      return splitEvenly(floatsOf(fetched, TENSOR.logits), parts.length).map((features) => ({
        features,
        embeddings,
      }));
    }
    const { into } = at(parts, 0);
    const features =
      into && parts.length === 1 ? [into] : splitEvenly(floatsOf(fetched, TENSOR.features), parts.length);
    const embeddings = embeddingsOf(fetched, parts.length);
    return embeddings.map((own, index) => ({ features: at(features, index), embeddings: own }));
  };
}

function createUpper(
  runtime: Runtime,
  sessions: Sessions,
  network: Network,
): NonNullable<EngineStages['upper']> {
  const upper = need(sessions.upper);
  const shareFeeds = createShareFeeds(runtime, network);

  const sampling = ({ features, plan: { weights, inputLength, outputLength } }: SampledClip) => ({
    [TENSOR.features]: rowsTensor(runtime, features, inputLength),
    [TENSOR.plan]: new runtime.Tensor('float32', weights, [outputLength, inputLength]),
  });

  /** The kept steps of all clips, written one after the other as they come. */
  const sample = async (session: InferenceSession, clips: readonly SampledClip[]) => {
    const { features, plan } = at(clips, 0);
    const { inputLength, outputLength } = plan;
    const size = features.length / inputLength;
    const kept = new Float32Array(clips.length * outputLength * size);
    for (const [index, clip] of clips.entries()) {
      const from = index * outputLength * size;
      const into = kept.subarray(from, from + outputLength * size);
      await session.run(sampling(clip), { [TENSOR.kept]: rowsTensor(runtime, into, outputLength) });
    }
    return { [TENSOR.kept]: new runtime.Tensor('float32', kept, [clips.length, outputLength, size]) };
  };

  return async (clips) => {
    const input = sessions.sample ? await sample(sessions.sample, clips) : sampling(at(clips, 0));
    const shares = shareFeeds(clips.map(({ plan }) => plan));
    const fetched = await upper.run({ ...input, ...shares });
    return splitEvenly(floatsOf(fetched, TENSOR.logits), clips.length);
  };
}

function need(session: InferenceSession | undefined): InferenceSession {
  if (!session) throw new TypeError('the network has no such graph');
  return session;
}
