import type { OptionsOf } from './options.ts';

export type { SamplerOptions } from './options.ts';

/** The official SGS code's arithmetic (Fayyaz et al., CVPR 2021; code of August 2021), defects included. */
export type ReferenceOptions = OptionsOf<'reference'>;

/** Ours: contiguous groups along the arc length of the embedding path. */
export type OrderedOptions = OptionsOf<'ordered'>;

/**
 * Row b of `weights` mixes the input steps into kept step b: kept = weights · features.
 * Rows are never empty; outputLength ≥ 1 where inputLength ≥ 1.
 */
export interface SamplingPlan {
  readonly inputLength: number;
  readonly outputLength: number;
  /** Row-major [outputLength × inputLength]. */
  readonly weights: Float32Array;
  /**
   * For each input step the row that stands for it: the one with its largest
   * weight, or of its group; −1 where there is none.
   */
  readonly groupOf: Int32Array;
  /** [outputLength]: how many input steps each row stands for, at least 1. */
  readonly counts: Float32Array;
}

/** Row-major [length × size]: one embedding z_t a time step. */
export interface Embeddings {
  readonly length: number;
  readonly size: number;
  readonly data: Float32Array;
  /** Where an embedding is one vector a cell of the frame: how steps are compared then (distance.ts). */
  readonly cells?: Cells;
}

/** An embedding of `count` vectors of size / count values, cell after cell. */
export interface Cells {
  readonly count: number;
  /** Two steps are as far apart as the mean of so many cells that moved most; 1: the one that moved most. */
  readonly top: number;
}
