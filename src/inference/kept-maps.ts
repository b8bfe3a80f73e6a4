import { ActionstreamError } from '../core/errors.ts';
import { KEPT_CLIPS } from './engine.ts';
import type { LoweredPart } from './engine-stages.ts';

/**
 * Feature maps of clips that are to go through the upper stage again: KEPT_CLIPS at most, the oldest goes
 * first.
 */
export interface KeptMaps {
  keep(clipId: string, lowered: LoweredPart): void;
  /** @throws ActionstreamError ENGINE_FAILED where they are gone */
  get(clipId: string): LoweredPart;
  forget(clipId: string): void;
}

export function createKeptMaps(): KeptMaps {
  const clips = new Map<string, LoweredPart>();
  return {
    keep(clipId, { features, embeddings }) {
      clips.delete(clipId);
      // A stream's maps move on with its next clip.
      clips.set(clipId, { features: features.slice(), embeddings });
      const [oldest] = clips.keys();
      if (clips.size > KEPT_CLIPS && oldest !== undefined) clips.delete(oldest);
    },
    get(clipId) {
      const lowered = clips.get(clipId);
      if (lowered) return lowered;
      throw new ActionstreamError('ENGINE_FAILED', `clip ${clipId}: its feature maps are not kept any more`);
    },
    forget: (clipId) => {
      clips.delete(clipId);
    },
  };
}
