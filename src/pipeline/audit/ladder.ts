import type { SamplerOptions } from '../../sampler/types.ts';

/** A sampler that a stream may run with. */
export interface Rung {
  readonly sampler: SamplerOptions;
  /** Its δ over the configured one; 0: dense. Samplers without δ have 1 and 0 alone. */
  readonly deltaScale: number;
}

const SCALES = [1, 1 / 2, 1 / 4, 1 / 8];

/**
 * The samplers that an audited stream may come down to, from the configured one to the dense network; the
 * dense one alone where nothing is sampled.
 */
export function ladderOf(sampler: SamplerOptions): readonly Rung[] {
  const dense: Rung = { sampler: { kind: 'none' }, deltaScale: 0 };
  if (sampler.kind === 'none') return [dense];
  if (sampler.kind !== 'ordered' || sampler.width === 0) return [{ sampler, deltaScale: 1 }, dense];
  const narrowed = SCALES.map((deltaScale) => ({
    sampler: { ...sampler, width: sampler.width * deltaScale },
    deltaScale,
  }));
  return [...narrowed, dense];
}
