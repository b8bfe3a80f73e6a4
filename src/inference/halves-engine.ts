import { setImmediate } from 'node:timers/promises';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import { planSampling, type Embeddings, type SamplerOptions, type SamplingPlan } from '../sampler/index.ts';
import { checkClip } from './check-clip.ts';
import { checkSamplerFits } from './check-sampler.ts';
import { createComputeAccounting, type EngineRun } from './compute-stats.ts';
import type { BatchHalves } from './batch/batch-halves.ts';
import type { Member } from './batch/gathering.ts';
import { createInferBatch } from './batch/infer-batch.ts';
import { runApart } from './batch/run-apart.ts';
import { warmUpBatch } from './batch/warm-up-batch.ts';
import type { EngineInfo, InferCall, InferenceEngine, InferenceResult, PixelClip } from './engine.ts';
import type { ModelManifest } from './model.ts';
import { countCost } from './network/cost.ts';
import type { Network } from './network/graph.ts';
import { scoresOf } from './postprocess.ts';
import { createSerialQueue, throwIfAborted } from './serial-queue.ts';
import { settleBoundary } from './settle-boundary.ts';
import { createLowerStreams, type LowerStreamsOptions, type StreamClip } from './stream/lower-streams.ts';
import { createSharedMaps } from './stream/shared-maps.ts';
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
  /** The same for several clips in one call; present where clips are to be computed together. */
  readonly batch?: BatchHalves;
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
  const { inputSteps } = countCost(network);
  const queue = createSerialQueue(`${runtime} engine`);
  const streamed = halves.steps && reuse && createStreamedRun(network, halves.steps, reuse);
  let released: Promise<void> | undefined;

  const check = ({ clip, sampler }: InferCall): void => {
    checkClip(clip, info);
    checkSamplerFits(network, sampler);
  };

  const runOne = ({ clip, sampler }: InferCall, signal: AbortSignal): Promise<HalvesRun> =>
    streamed && isStreamClip(clip, reuse)
      ? streamed.run(clip, sampler, signal)
      : halves.run(clip.data, (embeddings) => planClip(network, embeddings, sampler), signal);

  const runMember = (
    { clip, sampler }: InferCall,
    signal: AbortSignal,
    member: Member,
  ): Promise<HalvesRun> =>
    streamed && isStreamClip(clip, reuse)
      ? streamed.run(clip, sampler, signal, member.halves)
      : runApart(member, {
          clip,
          signal,
          inputSteps,
          planOf: (embeddings) => planClip(network, embeddings, sampler),
        });

  const resultOf = async (
    { clip, sampler }: InferCall,
    running: Promise<HalvesRun>,
  ): Promise<InferenceResult> => {
    const { logits, plan, ...measured } = await running.catch(rethrowNaming(clip.clipId, runtime));
    const keptSteps = plan.outputLength;
    return {
      clipId: clip.clipId,
      logits,
      scores: scoresOf(logits, activation),
      plan,
      compute: statsOf({ sampler: sampler.kind, keptSteps, engine, device, ...measured }),
    };
  };

  const inferOne = (call: InferCall): Promise<InferenceResult> =>
    queue.run((signal) => resultOf(call, runOne(call, signal)), call.signal);

  return {
    info,
    async infer(clip, callOptions) {
      const call = { clip, ...callOptions };
      check(call);
      return inferOne(call);
    },
    ...(halves.batch && {
      inferBatch: createInferBatch(halves.batch, { queue, check, runMember, resultOf, inferOne }),
    }),
    closeStream: (id) => streamed?.close(id),
    [Symbol.asyncDispose]: async () => {
      await queue.close();
      await (released ??= halves.release());
    },
  };
}

/**
 * A black clip with all steps kept: the largest memory that a later clip can ask for; and for streams the shortest part of
 * one, so that the first clip to go on where another began finds all in place; where clips are computed together, as many as can be.
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
  if (halves.batch) await warmUpBatch(halves.batch, black(frames), frames);
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
  const maps = createSharedMaps(network, reuse.geometry);
  return {
    close: (id: string) => {
      streams.close(id);
      maps.close(id);
    },
    async run(
      clip: StreamClip,
      sampler: SamplerOptions,
      signal: AbortSignal,
      by = halves,
    ): Promise<HalvesRun> {
      const startedMs = monotonicMs();
      const { features, embeddings, ...shared } = await streams.lower(clip, signal, by);
      const loweredMs = monotonicMs();
      // Lets an abort come through: a runtime may compute on this thread, and messages wait meanwhile.
      await setImmediate();
      throwIfAborted(signal);
      const samplingMs = monotonicMs();
      const known = maps.find(clip.stream, embeddings, sampler);
      const plan = known?.plan ?? planClip(network, embeddings, sampler);
      const plannedMs = monotonicMs();
      const logits = known?.logits ?? (await by.upper(features, plan));
      if (!known) maps.keep(clip.stream, embeddings, sampler, { plan, logits });
      return {
        logits,
        plan,
        shared: { ...shared, reusedKeptSteps: known ? plan.outputLength : 0 },
        lowerMs: loweredMs - startedMs,
        samplerMs: plannedMs - samplingMs,
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
