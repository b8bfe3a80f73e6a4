import { planSampling } from '../../sampler/index.ts';
import type { BatchHalves } from './batch-halves.ts';

/** As many clips at once as can be, with all steps kept. */
export async function warmUpBatch(batch: BatchHalves, pixels: Uint8Array, frames: number): Promise<void> {
  const clips = Array.from({ length: batch.maxClips }, () => pixels);
  if (!batch.split) {
    await batch.whole(clips);
    return;
  }
  const lowered = await batch.lower(clips.map(() => ({ pixels, frames, left: 'padded' })));
  await batch.upper(
    lowered.map(({ features, embeddings }) => ({
      features,
      plan: planSampling(embeddings, { kind: 'none' }),
    })),
  );
}
