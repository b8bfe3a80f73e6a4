import type { Embeddings, SamplingPlan } from '../sampler/types.ts';

/**
 * What an engine implements: a network on a runtime, cut at its SGS layer into two stages. Each
 * stage takes a list and gives its outputs in the order of the list; one clip is a list of one. One
 * call at a time.
 */
export interface EngineStages {
  /** Parts or clips of one call, at most. */
  readonly maxClips: number;
  /**
   * Pixels → feature maps and embeddings. All parts of a call have equally many frames and the same
   * `left`. Where the network has no SGS layer this stage is all of it, and the features are the
   * logits [classes].
   * @param signal aborts when nobody waits for the call any more; an engine that can stop on the
   * way then rejects with ABORTED
   */
  lower(parts: readonly LowerPart[], signal: AbortSignal): Promise<readonly LoweredPart[]>;
  /**
   * Feature maps and their plans → logits [classes]; all plans of a call keep equally many steps.
   * Absent without SGS layer.
   */
  upper?(clips: readonly SampledClip[], signal: AbortSignal): Promise<readonly Float32Array[]>;
  /** Frees the runtime's memory; no call runs then. */
  release(): Promise<void>;
}

/** Frames for the lower stage. */
export interface LowerPart {
  /** uint8 [frames, h, w, 3] */
  readonly pixels: Uint8Array;
  readonly frames: number;
  /**
   * `padded`: the frames stand at the beginning of a segment. `continued`: real frames stand before
   * them (network/continued-lower.ts), only for engines with `info.reuse`. Behind, both are padded
   * as at a clip's end.
   */
  readonly left: 'padded' | 'continued';
  /**
   * Where the features are wanted: room for exactly the steps that leave. An engine may return them
   * elsewhere.
   */
  readonly into?: Float32Array<ArrayBuffer>;
}

/** What the lower stage makes of a part. */
export interface LoweredPart {
  /** [steps, size]: one feature map a row; the order within a row is the engine's own. */
  readonly features: Float32Array<ArrayBuffer>;
  /** [steps × L] */
  readonly embeddings: Embeddings;
}

/** Features [T', size] of a clip and the plan that samples them. */
export interface SampledClip {
  readonly features: Float32Array<ArrayBuffer>;
  readonly plan: SamplingPlan;
}
