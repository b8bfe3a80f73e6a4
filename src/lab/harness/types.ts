import type { StreamSettings } from '../../config/index.ts';
import type { Frame } from '../../core/frame.ts';
import type { ModelReference } from '../../core/records.ts';
import type { ClipListFormat } from '../datasets/read-clip-list.ts';
import type { ComputeFigures } from '../evaluation/compute-figures.ts';
import type { DatasetFigures } from '../evaluation/report.ts';
import type { Work } from '../evaluation/results.ts';
import type { EngineInfo, InferenceEngine } from '../../inference/engine.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import type { ModelChoice } from '../../app/model-choice.ts';
import type { SamplerSettings } from '../../config/index.ts';

/** What `evaluate` is asked to do. */
export interface EvaluationRequest {
  readonly data: string;
  readonly format: ClipListFormat;
  readonly split?: string;
  /** Folder of the videos of an official list. */
  readonly videos?: string;
  /** Only these data sets; those of which a model can know nothing are measured only when named here. */
  readonly datasets: readonly string[];
  /** Data set → the listed one whose task it has. */
  readonly tasks: Readonly<Record<string, string>>;
  readonly model: ModelChoice;
  readonly sampler: SamplerSettings;
  readonly window: { readonly fps?: number; readonly stride?: number };
  readonly order: FrameOrder;
  readonly views: ViewOptions;
  /** Of the bootstrap. */
  readonly seed: number;
  /** A file that gets one JSON line a clip or video. */
  readonly predictions?: string;
}

/** `reversed`: the frames of each window, last first. */
export type FrameOrder = 'normal' | 'reversed';

/** Which views of a short clip are scored and averaged. */
export interface ViewOptions {
  /**
   * Windows spread evenly. Absent, and one crop: those of `run`. Absent, and three crops: about half a
   * window apart.
   */
  readonly clips?: number;
  /** 1: the frame as `run` fits it. 3: squares along its longer side. */
  readonly crops: 1 | 3;
}

/** Reported while the evaluation runs. */
export interface EvaluationObserver {
  /** The model is ready, and so many videos will be read. */
  onReady(info: EngineInfo, videos: number): void;
  /** Something was left out or not in order. */
  onNote(note: string): void;
  /** A video is done, or could not be evaluated. */
  onVideo(name: string, failure?: VideoFailure): void;
}

export interface VideoFailure {
  readonly dataset: string;
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** Keys are those of `evaluate --json`. */
export interface EvaluationReport {
  readonly model: ModelReference;
  readonly engine: string;
  readonly device: string;
  readonly sampler: SamplerOptions;
  readonly split?: string;
  readonly order: FrameOrder;
  readonly datasets: Readonly<Record<string, DatasetFigures>>;
  /** Over all data sets; absent where nothing could be evaluated. */
  readonly compute?: ComputeFigures;
  readonly failed: readonly VideoFailure[];
  /** Entries of an official list whose video is not there. */
  readonly absent: number;
}

/** Decoded frames of a labelled clip. */
export interface ClipFrames {
  readonly frames: readonly Frame[];
  /** Event time of the video's first frame. */
  readonly originMs: number;
}

/** A window that was inferred. Times are seconds from the video's first frame. */
export interface ScoredWindow {
  /** Counts the video's discontinuities. */
  readonly segment: number;
  readonly startS: number;
  readonly endS: number;
  /** One a model label. */
  readonly scores: readonly number[];
  readonly work: Work;
}

/** How videos are read and scored: what `run` would use for each of them. */
export interface EvaluationSetup {
  readonly engine: InferenceEngine;
  readonly settings: StreamSettings;
  readonly sampler: SamplerOptions;
  readonly views: ViewOptions;
  readonly ffmpegPath: string;
  readonly version: string;
  readonly onNote: (note: string) => void;
}
