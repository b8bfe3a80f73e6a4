import { ActionstreamError, messageOf } from '../core/errors.ts';
import { planSampling, type Embeddings, type SamplerOptions, type SamplingPlan } from '../sampler/index.ts';
import { checkClip } from './check-clip.ts';
import { checkSamplerFits } from './check-sampler.ts';
import { createComputeAccounting } from './compute-stats.ts';
import type { EngineInfo, InferenceEngine } from './engine.ts';
import type { ModelManifest } from './model.ts';
import type { Network } from './network/graph.ts';
import { scoresOf } from './postprocess.ts';
import { createSerialQueue } from './serial-queue.ts';
import { settleBoundary } from './settle-boundary.ts';

/** A network on a runtime, cut where SGS sits; one run at a time. */
export interface Halves {
  /**
   * Pixels → logits; `plan` is asked between the halves, or first where there is only one. Rejects with ABORTED between
   * stages.
   */
  run(
    pixels: Uint8Array,
    plan: (embeddings: Embeddings) => SamplingPlan,
    signal: AbortSignal,
  ): Promise<HalvesRun>;
  release(): Promise<void>;
}

export interface HalvesRun {
  /** [classes] */
  readonly logits: Float32Array;
  readonly plan: SamplingPlan;
  readonly lowerMs: number;
  readonly samplerMs: number;
  readonly upperMs: number;
}

export interface HalvesEngineOptions {
  readonly info: EngineInfo;
  readonly activation: ModelManifest['activation'];
  readonly network: Network;
  readonly halves: Halves;
  /** Name of the tensor library, for errors. */
  readonly runtime: string;
}

/** The engine contract over two halves: checks, order of calls, plan, scores and receipt. Owns the halves. */
export function createHalvesEngine(options: HalvesEngineOptions): InferenceEngine {
  const { info, activation, network, halves, runtime } = options;
  const { engine, device } = info;
  const statsOf = createComputeAccounting(network);
  const queue = createSerialQueue(`${runtime} engine`);
  let released: Promise<void> | undefined;
  return {
    info,
    async infer(clip, { sampler, signal: callerSignal }) {
      checkClip(clip, info);
      checkSamplerFits(network, sampler);
      return queue.run(async (signal) => {
        const planOf = (embeddings: Embeddings): SamplingPlan => planClip(network, embeddings, sampler);
        const { logits, plan, ...times } = await halves
          .run(clip.data, planOf, signal)
          .catch(rethrowNaming(clip.clipId, runtime));
        return {
          clipId: clip.clipId,
          logits,
          scores: scoresOf(logits, activation),
          plan,
          compute: statsOf({ sampler: sampler.kind, keptSteps: plan.outputLength, engine, device, ...times }),
        };
      }, callerSignal);
    },
    [Symbol.asyncDispose]: async () => {
      await queue.close();
      await (released ??= halves.release());
    },
  };
}

/** A black clip with all steps kept: the largest memory that a later clip can ask for. */
export async function warmUp(
  halves: Halves,
  { frames, height, width }: { readonly frames: number; readonly height: number; readonly width: number },
): Promise<HalvesRun> {
  const plan = (embeddings: Embeddings): SamplingPlan => planSampling(embeddings, { kind: 'none' });
  return halves.run(new Uint8Array(frames * height * width * 3), plan, new AbortController().signal);
}

function planClip(network: Network, embeddings: Embeddings, sampler: SamplerOptions): SamplingPlan {
  const readsEmbeddings = sampler.kind !== 'none' && sampler.kind !== 'uniform';
  return planSampling(readsEmbeddings ? settleBoundary(network, embeddings) : embeddings, sampler);
}

function rethrowNaming(clipId: string, runtime: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof ActionstreamError) throw error;
    throw new ActionstreamError('ENGINE_FAILED', `clip ${clipId}: ${runtime}: ${messageOf(error)}`, {
      cause: error,
    });
  };
}
