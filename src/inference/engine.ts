import type { ComputeStats } from '../core/compute.ts';
import type { ModelReference } from '../core/records.ts';
import type { SamplerOptions, SamplingPlan } from '../sampler/types.ts';

/** What an engine is given: one clip of uint8 rgb24 pixels, [frames, height, width, 3] row major. */
export interface PixelClip {
  readonly clipId: string;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

export interface InferOptions {
  readonly sampler: SamplerOptions;
  /** Abort takes effect between stages of one clip; the promise then rejects with ABORTED. */
  readonly signal?: AbortSignal;
}

export interface InferenceResult {
  readonly clipId: string;
  /** [classes] */
  readonly logits: Float32Array;
  /** [classes]: softmax or sigmoid of the logits, as the model's manifest says. */
  readonly scores: Float32Array;
  readonly plan: SamplingPlan;
  /** `queueMs` is 0 here: the pipeline knows how long the clip waited. */
  readonly compute: ComputeStats;
}

/** What an engine tells about itself once it is ready (weights loaded, warmed up). */
export interface EngineInfo {
  readonly engine: string;
  /** What it computes on, as receipts name it: cpu, cuda:0, webgpu, wasm, js. */
  readonly device: string;
  /** Devices that were to be tried before this one, and why each was passed over: for the log, once. */
  readonly notices: readonly string[];
  readonly model: ModelReference;
  readonly labels: readonly string[];
  /** Index of the label that never becomes an event; absent where the model has none. */
  readonly backgroundId?: number;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  /** How the model steps through a stream: frames a second, frames between clip starts. */
  readonly clip: { readonly fps: number; readonly stride: number };
  /** The model's own sampler, used where the configuration names none. */
  readonly sampler: SamplerOptions;
  /** On/off thresholds a label, chosen on the model's training data. */
  readonly thresholds?: Readonly<Record<string, { readonly on: number; readonly off: number }>>;
  readonly warmupMs: number;
}

/**
 * Turns clips into scores. One call at a time per engine; later calls wait their turn in order.
 * Wrong shapes are rejected with INPUT_INVALID before any compute. `Symbol.asyncDispose` frees everything and may be
 * called twice; pending calls then reject with ABORTED.
 */
export interface InferenceEngine extends AsyncDisposable {
  readonly info: EngineInfo;
  infer(clip: PixelClip, options: InferOptions): Promise<InferenceResult>;
}
