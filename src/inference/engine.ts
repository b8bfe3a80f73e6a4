import type { ComputeStats } from '../core/compute.ts';
import type { ModelReference } from '../core/records.ts';
import type { FrameFit, ModelHead } from './model.ts';
import type { SamplerOptions, SamplingPlan } from '../sampler/types.ts';

/** What an engine is given: one clip of uint8 rgb24 pixels, [frames, height, width, 3] row major. */
export interface PixelClip {
  readonly clipId: string;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
  /** Where the clip stands in its stream, so that overlapping clips reuse work. Absent: a clip by itself. */
  readonly stream?: StreamPlace;
}

/** Engines without `info.reuse` pay no attention to it. */
export interface StreamPlace {
  readonly id: string;
  /**
   * Frames of different segments were not filmed one after the other; a clip sees nothing of other
   * segments.
   */
  readonly segment: number;
  /** Frames of the segment before the clip's first one. */
  readonly firstFrame: number;
  /** The last of those, min(firstFrame, info.reuse.contextFrames) frames: [n, height, width, 3]. */
  readonly before: Uint8Array;
}

export interface InferOptions {
  readonly sampler: SamplerOptions;
  /** Abort takes effect between stages of one clip; the promise then rejects with ABORTED. */
  readonly signal?: AbortSignal;
  /**
   * `keep`: the clip's feature maps are kept, until `forgetMaps` or until KEPT_CLIPS later clips asked for
   * the same. `kept`: of a clip whose maps are kept only the upper stage runs; its pixels and its place in a
   * stream are not read (`data` may be empty). Rejects with ENGINE_FAILED where they are gone. Streams' clips
   * score the same with and without it.
   */
  readonly maps?: 'keep' | 'kept';
}

/** Clips whose feature maps an engine keeps at most. */
export const KEPT_CLIPS = 2;

/** One clip of a batch, which is a list of clips; one clip is a list of one. */
export interface InferRequest extends InferOptions {
  readonly clip: PixelClip;
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
  /** Where heads of several models share the pass: the labels of each. */
  readonly heads?: readonly ModelHead[];
  /** Index of the label that never becomes an event; absent where the model has none. */
  readonly backgroundId?: number;
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  /** How the model steps through a stream: frames a second, frames between clip starts. */
  readonly clip: { readonly fps: number; readonly stride: number };
  /** How frames are brought to height and width, where the model says. */
  readonly frameFit?: FrameFit;
  /**
   * The output is an embedding: there are no scores to make events from, and the labels only number
   * its values.
   */
  readonly embedding?: true;
  /** Scores are sigmoids: each label is a decision of its own. Else all labels are one distribution. */
  readonly labelsStandAlone?: true;
  /** The model's own sampler, used where the configuration names none. */
  readonly sampler: SamplerOptions;
  /** On/off thresholds a label, chosen on the model's training data. */
  readonly thresholds?: Readonly<Record<string, { readonly on: number; readonly off: number }>>;
  readonly warmupMs: number;
  /** How overlapping clips of a stream reuse work (ADR 0019); absent where they do not. */
  readonly reuse?: ReuseInfo;
  /** Why they do not, where the network does not allow it. */
  readonly reuseUnsupported?: string;
  /** How clips are computed together (ADR 0025); absent where each is computed by itself. */
  readonly batch?: BatchInfo;
}

export interface BatchInfo {
  /** Clips of one call, at most. */
  readonly maxClips: number;
  /**
   * Whether a clip's scores have the same bits whatever else is in its batch; else they differ by
   * rounding.
   */
  readonly exact: boolean;
}

export interface ReuseInfo {
  /** Frames before a clip that its first time steps see. */
  readonly contextFrames: number;
  /** Frames between time steps: clips have steps in common where they begin at multiples of it. */
  readonly frameStep: number;
  /** Memory that a stream holds between its clips, about. */
  readonly bytesPerStream: number;
  /** Maximum number of cached streams. The least recently used stream is evicted. */
  readonly maxStreams: number;
}

/**
 * Turns clips into scores. One batch at a time per engine; later calls wait their turn in order.
 * Wrong shapes are rejected with INPUT_INVALID before any compute. `Symbol.asyncDispose` frees
 * everything and may be called twice; pending calls then reject with ABORTED.
 */
export interface InferenceEngine extends AsyncDisposable {
  readonly info: EngineInfo;
  /** A batch of one. */
  infer(clip: PixelClip, options: InferOptions): Promise<InferenceResult>;
  /**
   * Several clips in one turn, no two of the same stream, with whatever numbers of kept steps. One
   * promise a clip, in the order of the batch, each settled for itself: a wrong clip, a failure or
   * an abort leaves the others alone. In a receipt multiply-adds are the clip's own, milliseconds
   * its equal share of each computation that it was part of. Engines without `info.batch` compute
   * one clip after the other.
   */
  inferBatch(batch: readonly InferRequest[]): readonly Promise<InferenceResult>[];
  /**
   * The stream has ended: what was kept for its next clip is freed. Engines without `info.reuse`
   * keep nothing.
   */
  closeStream?(streamId: string): void;
  /** Frees what `maps: keep` has kept of the clip, where there is any. */
  forgetMaps?(clipId: string): void;
  /** Absent or zero for engines in this process: they fall with it. */
  losses?(): EngineLosses;
}

/** What became of an engine's processes since it was opened. */
export interface EngineLosses {
  /** Processes that ended unasked or hung, and were replaced. */
  readonly restarts: number;
  /** Clips tried once more because their process was lost. */
  readonly retries: number;
}
