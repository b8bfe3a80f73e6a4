import type { Embeddings, SamplingPlan } from '../../sampler/types.ts';

/** What the lower half makes of some frames. */
export interface LowerSteps {
  /** [steps, size]: one feature map a row. */
  readonly features: Float32Array<ArrayBuffer>;
  /** [steps × L] */
  readonly embeddings: Embeddings;
}

/** The halves of a network one by one, for any number of frames: what reuse of steps needs from an engine. */
export interface StepHalves {
  /**
   * uint8 [frames, h, w, 3] → the steps that leave. `padded`: frames stand at the beginning of a segment; `continued`:
   * real frames stand before them (network/continued-lower.ts). Behind, both are padded as at a clip's end.
   * `into` is where the features are wanted, room for exactly the steps that leave; an engine that cannot write there returns
   * them elsewhere.
   */
  lower(
    pixels: Uint8Array,
    frames: number,
    left: 'padded' | 'continued',
    into?: Float32Array<ArrayBuffer>,
  ): Promise<LowerSteps>;
  /** features [T', size] and their plan → logits [classes] */
  upper(features: Float32Array, plan: SamplingPlan): Promise<Float32Array>;
}
