/** How time steps are grouped. One union for config, command line, model manifest and engines. */
export type SamplerOptions =
  | { readonly kind: 'none' }
  /** Every `stride`-th step: the baseline that SGS has to beat at equal multiply-adds. */
  | { readonly kind: 'uniform'; readonly stride: number }
  | ReferenceOptions
  | OrderedOptions;

/** The official SGS code's arithmetic (Fayyaz et al., CVPR 2021; code of August 2021), defects included. */
export interface ReferenceOptions {
  readonly kind: 'reference';
  /** B: bins over [0, max Δ], at most 65536. Default: as many as input steps. */
  readonly bins?: number;
  readonly kernel: 'linear' | 'linear_normalized' | 'delta' | 'delta_normalized';
  readonly distance: 'l2' | 'l1';
}

/** Ours: contiguous groups along the arc length of the embedding path. */
export interface OrderedOptions {
  readonly kind: 'ordered';
  /** δ: width of a bin, in units of embedding distance. 0 keeps every step that differs at all. */
  readonly width: number;
  readonly distance: 'l2' | 'l1';
  /**
   * n: a step no farther than n from the last step that moved counts as not having moved
   * (ordered.ts), so that sensor noise adds no arc length. Default 0: the plain arc length.
   */
  readonly noiseFloor?: number;
  /**
   * Where bins begin. `clip` (default): with each clip. `stream`: clips of a stream
   * that stay within one bin share it and its map, which is computed once (ADR 0024);
   * one that does not begins its own. Clips by themselves know only the former.
   */
  readonly anchor?: 'clip' | 'stream';
  /**
   * What stands for a group: its weighted mean (default), or its middle step alone, which no motion blurs.
   */
  readonly representative?: 'mean' | 'middle';
  /**
   * Kept steps of a clip in which some step moves farther than the noise floor,
   * at least (groups.ts). Default 1. With more, the plan needs the whole clip.
   */
  readonly minSteps?: number;
}

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
  /** Where an embedding is one vector a cell of the picture: how steps are compared then (distance.ts). */
  readonly cells?: Cells;
}

/** An embedding of `count` vectors of size / count values, cell after cell. */
export interface Cells {
  readonly count: number;
  /** Two steps are as far apart as the mean of so many cells that moved most; 1: the one that moved most. */
  readonly top: number;
}
