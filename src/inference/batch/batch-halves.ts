import type { SamplingPlan } from '../../sampler/types.ts';
import type { LowerSteps } from '../stream/steps.ts';

/** The halves of a network, each for several clips in one call. Results come in the order of the clips. */
export interface BatchHalves {
  /** Clips of one call, at most. */
  readonly maxClips: number;
  /** See BatchInfo. */
  readonly exact: boolean;
  /** Whether the network is cut in halves at an SGS layer; else it has `whole` alone. */
  readonly split: boolean;
  /** As StepHalves.lower, for parts of equally many frames and the same `left`. */
  lower(parts: readonly PixelPart[]): Promise<readonly LowerSteps[]>;
  /** As StepHalves.upper, for plans that keep equally many steps. */
  upper(clips: readonly SampledClip[]): Promise<readonly Float32Array[]>;
  /** Pixels of clips → logits, of a network without SGS layer. */
  whole(clips: readonly Uint8Array[]): Promise<readonly Float32Array[]>;
}

/** What one call of the lower half computes of a clip: see StepHalves. */
export interface PixelPart {
  readonly pixels: Uint8Array;
  readonly frames: number;
  readonly left: 'padded' | 'continued';
}

/** Features [T', size] and the plan that samples them. */
export interface SampledClip {
  readonly features: Float32Array;
  readonly plan: SamplingPlan;
}
