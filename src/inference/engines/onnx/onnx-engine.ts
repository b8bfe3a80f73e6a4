import { ActionstreamError, messageOf } from '../../../core/errors.ts';
import { monotonicMs } from '../../../core/time.ts';
import {
  planSampling,
  type Embeddings,
  type SamplerOptions,
  type SamplingPlan,
} from '../../../sampler/index.ts';
import { checkClip } from '../../check-clip.ts';
import { checkSamplerFits } from '../../check-sampler.ts';
import { createComputeAccounting } from '../../compute-stats.ts';
import { engineInfoOf } from '../../engine-info.ts';
import type { EngineInfo, InferenceEngine } from '../../engine.ts';
import type { Model, ModelManifest } from '../../model.ts';
import { buildNetwork } from '../../network/build.ts';
import { countCost } from '../../network/cost.ts';
import type { Network } from '../../network/graph.ts';
import { scoresOf } from '../../postprocess.ts';
import { createSerialQueue } from '../../serial-queue.ts';
import { settleBoundary } from '../../settle-boundary.ts';
import { bindWeights } from '../../weights/bind-weights.ts';
import { buildGraphs } from './build-graphs.ts';
import { openSessions, type SessionRun, type Sessions } from './sessions.ts';

export interface OnnxEngineOptions {
  readonly model: Model;
  /** Threads inside one operator; ONNX Runtime takes one a core where absent. */
  readonly threads?: number;
}

/**
 * ONNX Runtime on the CPU, running graphs that we write from the network description. Computes on the calling thread
 * (its `run` blocks), so a service puts it into a worker. Returns warmed up: the first clip costs what later ones do.
 * @throws ActionstreamError MODEL_INVALID where the weights do not fit; ENGINE_UNAVAILABLE where the runtime is missing
 */
export async function createOnnxEngine({ model, threads }: OnnxEngineOptions): Promise<InferenceEngine> {
  const startedMs = monotonicMs();
  const { manifest } = model;
  const network = buildNetwork(manifest.network);
  const { frames, height, width } = network.options;
  const { weights } = bindWeights(network, model.weights, manifest.id);
  const sessions = await openSessions(buildGraphs(network, weights), {
    pixelShape: [frames, height, width, 3],
    steps: countCost(network).inputSteps,
    ...(threads !== undefined && { threads }),
  });
  await warmUp(sessions, new Uint8Array(frames * height * width * 3));
  const warmupMs = monotonicMs() - startedMs;
  return engineOf(
    engineInfoOf(model, { engine: 'onnx', device: 'cpu', warmupMs }),
    manifest,
    network,
    sessions,
  );
}

/** Apart from its maker, so that the engine does not keep the weights alive. */
function engineOf(
  info: EngineInfo,
  manifest: ModelManifest,
  network: Network,
  sessions: Sessions,
): InferenceEngine {
  const statsOf = createComputeAccounting(network);
  const queue = createSerialQueue('ONNX engine');
  let released: Promise<void> | undefined;
  return {
    info,
    async infer(clip, { sampler, signal: callerSignal }) {
      checkClip(clip, info);
      checkSamplerFits(network, sampler);
      return queue.run(async (signal) => {
        const plan = (embeddings: Embeddings): SamplingPlan => planClip(network, embeddings, sampler);
        const {
          logits,
          plan: kept,
          ...times
        } = await sessions.run(clip.data, plan, signal).catch(rethrowNaming(clip.clipId));
        const { engine, device } = info;
        return {
          clipId: clip.clipId,
          logits,
          scores: scoresOf(logits, manifest.activation),
          plan: kept,
          compute: statsOf({ sampler: sampler.kind, keptSteps: kept.outputLength, engine, device, ...times }),
        };
      }, callerSignal);
    },
    [Symbol.asyncDispose]: async () => {
      await queue.close();
      await (released ??= sessions.release());
    },
  };
}

function planClip(network: Network, embeddings: Embeddings, sampler: SamplerOptions): SamplingPlan {
  const readsEmbeddings = sampler.kind !== 'none' && sampler.kind !== 'uniform';
  return planSampling(readsEmbeddings ? settleBoundary(network, embeddings) : embeddings, sampler);
}

/** A black clip with all steps kept: the largest memory that a later clip can ask for. */
async function warmUp(sessions: Sessions, black: Uint8Array): Promise<SessionRun> {
  const plan = (embeddings: Embeddings): SamplingPlan => planSampling(embeddings, { kind: 'none' });
  return sessions.run(black, plan, new AbortController().signal);
}

function rethrowNaming(clipId: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof ActionstreamError) throw error;
    throw new ActionstreamError('ENGINE_FAILED', `clip ${clipId}: ONNX Runtime: ${messageOf(error)}`, {
      cause: error,
    });
  };
}
