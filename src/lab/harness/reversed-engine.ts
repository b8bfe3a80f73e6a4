import type { EngineInfo, InferenceEngine, PixelClip } from '../../inference/engine.ts';

/**
 * The same engine, shown the frames of every clip last first: what a network knows of the direction of time
 * misleads it. Each clip stands by itself, because reversed clips have no steps in common with their
 * neighbours.
 */
export function reversedEngine(engine: InferenceEngine): InferenceEngine {
  return {
    info: infoWithoutReuse(engine.info),
    infer: (clip, options) => engine.infer(reversedClip(clip), options),
    inferBatch: (batch) =>
      engine.inferBatch(batch.map(({ clip, ...options }) => ({ clip: reversedClip(clip), ...options }))),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

function infoWithoutReuse({ reuse, ...info }: EngineInfo): EngineInfo {
  return reuse ? { ...info, reuseUnsupported: 'the frames of each are reversed, last first' } : info;
}

function reversedClip({ clipId, frames, height, width, data }: PixelClip): PixelClip {
  const bytes = height * width * 3;
  const reversed = new Uint8Array(data.length);
  for (let frame = 0; frame < frames; frame += 1) {
    reversed.set(data.subarray(frame * bytes, (frame + 1) * bytes), (frames - 1 - frame) * bytes);
  }
  return { clipId, frames, height, width, data: reversed };
}
