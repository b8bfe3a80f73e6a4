import { sleep } from '../../../core/abort.ts';
import type { Embeddings } from '../../../sampler/index.ts';
import { throwIfAborted } from '../../aborts.ts';
import type { EngineCore } from '../../engine-core.ts';
import { engineInfoOf } from '../../engine-info.ts';
import type { EngineStages, LoweredPart, LowerPart } from '../../engine-stages.ts';
import type { Model } from '../../model.ts';
import { buildNetwork } from '../../network/build.ts';
import { countCost } from '../../network/cost.ts';
import { createStagedCore } from '../../staged-core.ts';
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

type NullModel = Pick<Model, 'manifest' | 'digest'>;

/**
 * An engine that computes no network, for everything above engines to be tested on any machine:
 * scores depend on the pixels alone, kept steps on how much they change (some pixels of a frame
 * stand in for its embedding), the receipt on the model's network. Its scores mean nothing.
 */
export function openNullCore(model: NullModel, options: NullEngineOptions = {}): EngineCore {
  const { maxClips = 1 } = options;
  const { activation } = model.manifest;
  const network = buildNetwork(model.manifest.network);
  const info = {
    ...engineInfoOf(model, { engine: 'null', device: 'none', warmupMs: 0 }),
    ...(maxClips > 1 && { batch: { maxClips, exact: true } }),
  };
  const stages = createNullStages(model, options);
  return createStagedCore({ info, activation, network, stages, runtime: 'null engine' });
}

/** The features of a clip are its logits. */
function createNullStages(
  { manifest: { network, labels } }: NullModel,
  { delayMs = 0, logits: fixed, maxClips = 1 }: NullEngineOptions,
): EngineStages {
  const { height, width } = network;
  const { inputSteps } = countCost(buildNetwork(network));
  const score = ({ pixels, frames }: LowerPart): LoweredPart => {
    const random = createRandomStream(hashOf(pixels), 'null');
    const features = Float32Array.from(fixed ?? labels.map(() => 2 * random.normal()));
    return {
      features,
      embeddings: embeddingsOf(pixels, { frames, frameBytes: height * width * 3, steps: inputSteps }),
    };
  };
  return {
    maxClips,
    async lower(parts, signal) {
      if (delayMs > 0) await sleep(delayMs, signal);
      throwIfAborted(signal);
      return parts.map(score);
    },
    upper: (clips) => Promise.resolve(clips.map(({ features }) => features)),
    release: () => Promise.resolve(),
  };
}

/** FNV-1a over the bytes, 32 bit. */
function hashOf(data: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of data) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Pixels of evenly spread frames, one a time step, scaled to unit length. */
function embeddingsOf(
  pixels: Uint8Array,
  {
    frames,
    frameBytes,
    steps,
  }: { readonly frames: number; readonly frameBytes: number; readonly steps: number },
): Embeddings {
  const stride = Math.max(1, Math.floor(frameBytes / SAMPLES_PER_FRAME));
  const size = Math.ceil(frameBytes / stride);
  const data = new Float32Array(steps * size);
  for (let step = 0; step < steps; step++) {
    const start = Math.floor((step * frames) / steps) * frameBytes;
    const sampled = pixels.subarray(start, start + frameBytes).filter((_, i) => i % stride === 0);
    const length = Math.hypot(...sampled);
    data.set(
      Float32Array.from(sampled, (pixel) => pixel / Math.max(length, 1)),
      step * size,
    );
  }
  return { length: steps, size, data };
}
