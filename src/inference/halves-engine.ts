import { setImmediate } from 'node:timers/promises';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import { planSampling, type Embeddings, type SamplerOptions, type SamplingPlan } from '../sampler/index.ts';
import { checkClip } from './check-clip.ts';
import { checkSamplerFits } from './check-sampler.ts';
import { createComputeAccounting, type EngineRun } from './compute-stats.ts';
import type { EngineInfo, InferenceEngine, PixelClip } from './engine.ts';
import type { ModelManifest } from './model.ts';
import type { Network } from './network/graph.ts';
import { scoresOf } from './postprocess.ts';
import { createSerialQueue, throwIfAborted } from './serial-queue.ts';
import { settleBoundary } from './settle-boundary.ts';
import { createLowerStreams, type LowerStreamsOptions, type StreamClip } from './stream/lower-streams.ts';
import type { StepHalves } from './stream/steps.ts';
import { monotonicMs } from '../core/time.ts';

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
  /** The halves one by one; present where clips of a stream are to share steps. */
  readonly steps?: StepHalves;
  release(): Promise<void>;
}

export interface HalvesRun {
  /** [classes] */
  readonly logits: Float32Array;
  readonly plan: SamplingPlan;
  readonly lowerMs: number;
  readonly samplerMs: number;
  readonly upperMs: number;
  /** Where steps were shared: see EngineRun. */
  readonly shared?: NonNullable<EngineRun['shared']>;
}

export interface HalvesEngineOptions {
  readonly info: EngineInfo;
  readonly activation: ModelManifest['activation'];
  readonly network: Network;
  readonly halves: Halves;
  /** How clips of a stream share steps; needs `halves.steps`. */
  readonly reuse?: Omit<LowerStreamsOptions, 'halves'>;
  /** Name of the tensor library, for errors. */
  readonly runtime: string;
}

/** The engine contract over two halves: checks, order of calls, plan, scores and receipt. Owns the halves. */
export function createHalvesEngine(options: HalvesEngineOptions): InferenceEngine {
  const { info, activation, network, halves, runtime, reuse } = options;
  const { engine, device } = info;
  const statsOf = createComputeAccounting(network);
  const queue = createSerialQueue(`${runtime} engine`);
  const streamed = halves.steps && reuse && createStreamedRun(network, halves.steps, reuse);
  let released: Promise<void> | undefined;
  return {
    info,
    async infer(clip, { sampler, signal: callerSignal }) {
      checkClip(clip, info);
      checkSamplerFits(network, sampler);
      return queue.run(async (signal) => {
        const run =
          streamed && isStreamClip(clip, reuse)
            ? streamed.run(clip, sampler, signal)
            : halves.run(clip.data, (embeddings) => planClip(network, embeddings, sampler), signal);
        const { logits, plan, ...measured } = await run.catch(rethrowNaming(clip.clipId, runtime));
        const keptSteps = plan.outputLength;
        return {
          clipId: clip.clipId,
          logits,
          scores: scoresOf(logits, activation),
          plan,
          compute: statsOf({ sampler: sampler.kind, keptSteps, engine, device, ...measured }),
        };
      }, callerSignal);
    },
    closeStream: (id) => streamed?.close(id),
    [Symbol.asyncDispose]: async () => {
      await queue.close();
      await (released ??= halves.release());
    },
  };
}

/**
 * A black clip with all steps kept: the largest memory that a later clip can ask for; and for streams the shortest part of
 * one, so that the first clip to go on where another began finds all in place.
 */
export async function warmUp(
  halves: Halves,
  { frames, height, width }: { readonly frames: number; readonly height: number; readonly width: number },
  streams?: { readonly low: number; readonly high: number },
): Promise<void> {
  const black = (length: number): Uint8Array => new Uint8Array(length * height * width * 3);
  const plan = (embeddings: Embeddings): SamplingPlan => planSampling(embeddings, { kind: 'none' });
  await halves.run(black(frames), plan, new AbortController().signal);
  const seen = streams && streams.high - streams.low + 1;
  if (seen !== undefined) await halves.steps?.lower(black(seen), seen, 'continued');
}

/** Clips between time steps have no step in common with their stream's others: each is taken by itself. */
function isStreamClip(clip: PixelClip, reuse: HalvesEngineOptions['reuse']): clip is StreamClip {
  return (
    clip.stream !== undefined && reuse !== undefined && clip.stream.firstFrame % reuse.geometry.jump === 0
  );
}

/** The halves run one by one, the lower one only for steps that the stream has not. */
function createStreamedRun(
  network: Network,
  halves: StepHalves,
  reuse: NonNullable<HalvesEngineOptions['reuse']>,
) {
  const streams = createLowerStreams({ ...reuse, halves });
  return {
    close: (id: string) => {
      streams.close(id);
    },
    async run(clip: StreamClip, sampler: SamplerOptions, signal: AbortSignal): Promise<HalvesRun> {
      const startedMs = monotonicMs();
      const { features, embeddings, ...shared } = await streams.lower(clip, signal);
      const loweredMs = monotonicMs();
      // Lets an abort come through: a runtime may compute on this thread, and messages wait meanwhile.
      await setImmediate();
      throwIfAborted(signal);
      const plan = planClip(network, embeddings, sampler);
      const plannedMs = monotonicMs();
      const logits = await halves.upper(features, plan);
      return {
        logits,
        plan,
        shared,
        lowerMs: loweredMs - startedMs,
        samplerMs: plannedMs - loweredMs,
        upperMs: monotonicMs() - plannedMs,
      };
    },
  };
}

/** For halves that nobody owns yet when something goes wrong. */
export function releasing(halves: Halves): (error: unknown) => Promise<never> {
  return async (error) => {
    await halves.release();
    throw error;
  };
}

/**
 * Also in a stream as if the clip stood alone: boundary steps then have real features, but take part in the plan by the
 * embedding of their neighbour, as in clips by themselves. So both give the same plan (ADR 0019).
 */
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
