import { planSampling } from '../sampler/index.ts';
import type { EngineStages, LowerPart } from './engine-stages.ts';
import type { Network } from './network/graph.ts';
import type { ReuseSettings } from './stream/reuse-settings.ts';

/**
 * Computes black clips, one and as many as a call takes, with all steps kept: the largest memory
 * that a later clip can ask for. For streams also the shortest part of a clip, so that the first
 * clip to continue another finds all in place. Releases the stages where it fails: nobody owns them
 * yet.
 */
export async function warmUp(stages: EngineStages, network: Network, reuse?: ReuseSettings): Promise<void> {
  const { height, width, frames: clipFrames } = network.options;
  const black = (frames: number, left: LowerPart['left']): LowerPart => {
    return { pixels: new Uint8Array(frames * height * width * 3), frames, left };
  };
  const { signal } = new AbortController();
  try {
    for (const clips of new Set([1, stages.maxClips])) {
      const whole = black(clipFrames, 'padded');
      const lowered = await stages.lower(
        Array.from({ length: clips }, () => whole),
        signal,
      );
      const sampled = lowered.map(({ features, embeddings }) => ({
        ...{ features, plan: planSampling(embeddings, { kind: 'none' }) },
      }));
      await stages.upper?.(sampled, signal);
    }
    if (!reuse) return;
    const { low, high } = reuse.geometry;
    await stages.lower([black(high - low + 1, 'continued')], signal);
  } catch (error) {
    await stages.release();
    throw error;
  }
}
