import { at } from '../../../core/at.ts';
import { sleep } from '../../../core/abort.ts';
import { monotonicMs } from '../../../core/time.ts';
import { planSampling, type Embeddings } from '../../../sampler/index.ts';
import { checkCalls } from '../../batch/check-calls.ts';
import { checkClip } from '../../check-clip.ts';
import { checkSamplerFits } from '../../check-sampler.ts';
import { createComputeAccounting } from '../../compute-stats.ts';
import { engineInfoOf } from '../../engine-info.ts';
import type { InferCall, InferenceEngine, InferenceResult, PixelClip } from '../../engine.ts';
import type { Model } from '../../model.ts';
import { buildNetwork } from '../../network/build.ts';
import { countCost } from '../../network/cost.ts';
import { scoresOf } from '../../postprocess.ts';
import { createSerialQueue, throwIfAborted } from '../../serial-queue.ts';
import { createRandomStream } from '../../weights/random-stream.ts';

export interface NullEngineOptions {
  /** How long each clip pretends to take. Default 0. */
  readonly delayMs?: number;
  /** The logits of every clip. Default: drawn from a hash of the clip's pixels. */
  readonly logits?: readonly number[];
  /** Clips that are computed at once, at most: they pretend to take the time of one. Default: 1. */
  readonly maxClips?: number;
}

/** Pixels read of each frame: enough that frames which differ to the eye differ here. */
const SAMPLES_PER_FRAME = 64;

/**
 * An engine that computes no network, for everything above engines to be tested on any machine: scores depend on the
 * pixels alone, kept steps on how much they change (some pixels of a frame stand in for its embedding), the receipt on the
 * model's network. Obeys the engine contract in all else. Its scores mean nothing.
 */
export function createNullEngine(
  model: Pick<Model, 'manifest' | 'digest'>,
  { delayMs = 0, logits: fixed, maxClips = 1 }: NullEngineOptions = {},
): InferenceEngine {
  const { network: options, labels, activation } = model.manifest;
  const network = buildNetwork(options);
  const { inputSteps } = countCost(network);
  const info = {
    ...engineInfoOf(model, { engine: 'null', device: 'none', warmupMs: 0 }),
    ...(maxClips > 1 && { batch: { maxClips, exact: true } }),
  };
  const statsOf = createComputeAccounting(network);
  const queue = createSerialQueue('null engine');

  const score = async (
    clip: PixelClip,
    sampler: Parameters<typeof planSampling>[1],
    signal: AbortSignal,
  ): Promise<InferenceResult> => {
    const startedMs = monotonicMs();
    if (delayMs > 0) await sleep(delayMs, signal);
    throwIfAborted(signal);
    const random = createRandomStream(hashOf(clip.data), 'null');
    const logits = Float32Array.from(fixed ?? labels.map(() => 2 * random.normal()));
    const lowerDoneMs = monotonicMs();
    const plan = planSampling(embeddingsOf(clip, inputSteps), sampler);
    const endedMs = monotonicMs();
    const compute = statsOf({
      sampler: sampler.kind,
      keptSteps: plan.outputLength,
      lowerMs: lowerDoneMs - startedMs,
      samplerMs: endedMs - lowerDoneMs,
      upperMs: 0,
      engine: info.engine,
      device: info.device,
    });
    return { clipId: clip.clipId, logits, scores: scoresOf(logits, activation), plan, compute };
  };

  const check = ({ clip, sampler }: InferCall): void => {
    checkClip(clip, info);
    checkSamplerFits(network, sampler);
  };

  const inferBatch: InferenceEngine['inferBatch'] = (calls) =>
    checkCalls(calls, check, (fit) =>
      queue.runTogether(
        fit.map(({ signal }) => signal),
        (signals) => fit.map(({ clip, sampler }, index) => score(clip, sampler, at(signals, index))),
      ),
    );

  return {
    info,
    async infer(clip, options) {
      check({ clip, ...options });
      return queue.run((signal) => score(clip, options.sampler, signal), options.signal);
    },
    ...(maxClips > 1 && { inferBatch }),
    [Symbol.asyncDispose]: () => queue.close(),
  };
}

/** FNV-1a over the bytes, 32 bit. */
function hashOf(data: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of data) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Pixels of evenly spread frames, one a time step, scaled to unit length. */
function embeddingsOf(clip: PixelClip, steps: number): Embeddings {
  const frameBytes = clip.height * clip.width * 3;
  const stride = Math.max(1, Math.floor(frameBytes / SAMPLES_PER_FRAME));
  const size = Math.ceil(frameBytes / stride);
  const data = new Float32Array(steps * size);
  for (let step = 0; step < steps; step++) {
    const start = Math.floor((step * clip.frames) / steps) * frameBytes;
    const pixels = clip.data.subarray(start, start + frameBytes).filter((_, i) => i % stride === 0);
    const length = Math.hypot(...pixels);
    data.set(
      Float32Array.from(pixels, (pixel) => pixel / Math.max(length, 1)),
      step * size,
    );
  }
  return { length: steps, size, data };
}
