import type { ModelChoice } from '../../app/model-choice.ts';
import type { SamplerSettings } from '../../config/index.ts';
import type { FrameFit } from '../../inference/model.ts';
import type { Interval } from '../../core/wilson.ts';
import type { SamplerOptions } from '../../sampler/types.ts';

/** What `teach` is asked to do. */
export interface TeachRequest {
  /** A manifest of labelled clips. */
  readonly data: string;
  readonly split?: string;
  /** Only these data sets; empty: all of the split. */
  readonly datasets: readonly string[];
  /** Labels that mean "none of the actions", beside those that docs/teach.md lists. */
  readonly background: readonly string[];
  readonly backbone: ModelChoice;
  readonly sampler: SamplerSettings;
  readonly window: { readonly fps?: number; readonly stride?: number };
  /**
   * The taught sampler that keeps fewest steps and whose AUC lies at most so far below that of all steps, on
   * held-out groups, becomes the model's own. Absent: the one that was asked for.
   */
  readonly tolerance?: number;
  /** How frames are brought to the network's size. Default: as the backbone does. */
  readonly fit?: FrameFit['fit'];
  readonly out: string;
  /** Only the heads are written; the backbone is found by its name where the model is opened. */
  readonly headsOnly: boolean;
  /** Default: the name of the folder. */
  readonly id?: string;
  /** Folder of the features. Default: in the user's cache. */
  readonly cache?: string;
  readonly command: string;
}

/** Told as the teaching goes on. */
export interface TeachObserver {
  /** So many clips; the features of so many of them are there already. */
  onReady(clips: number, cached: number): void;
  /** One more clip is through the backbone; `leftS`: what the others will take at this rate. */
  onClip(done: number, of: number, leftS: number): void;
  onNote(note: string): void;
}

/** A clip as the head learns from it. */
export interface Example {
  readonly dataset: string;
  /** What must stay together: unique over all data sets. */
  readonly group: string;
  /** Labels of the model; none: background. */
  readonly labels: readonly string[];
  readonly features: ClipFeatures;
}

/**
 * The frozen features of a clip: the mean that the network's head sees, of each window under each
 * sampler.
 */
export interface ClipFeatures {
  readonly samplers: number;
  readonly windows: number;
  /** Values of a feature. */
  readonly size: number;
  /** [samplers × windows × size] */
  readonly data: Float32Array;
  /** Kept steps ÷ input steps [samplers], the mean over the windows. */
  readonly kept: readonly number[];
}

/** Keys are those of `teach --json`. */
export interface TeachReport {
  readonly model: string;
  readonly labels: readonly string[];
  readonly clips: number;
  readonly groups: number;
  readonly cross_validation: CrossValidation;
  /** Wall time of all of it. */
  readonly seconds: number;
}

/** On clips whose group the head did not learn from; all steps kept. */
export interface CrossValidation {
  /** The mean over the labels, background left out. */
  readonly auc?: number;
  readonly auc_interval?: Interval;
  /** Share of clips whose strongest label is a true one. */
  readonly accuracy: number;
  readonly accuracy_interval: Interval;
}

/** `teach.json` beside the model: what the report says, label by label and sampler by sampler. */
export interface TeachRecord extends TeachReport {
  readonly backbone: string;
  readonly data_sets: readonly string[];
  readonly label_figures: Readonly<Record<string, LabelFigures>>;
  readonly samplers: readonly SamplerFigures[];
  /** True label → strongest label → clips. */
  readonly confusion: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** What to doubt, in words. */
  readonly weak_points: readonly string[];
}

export interface LabelFigures {
  /** Clips that show it, and the groups that they are of. */
  readonly clips: number;
  readonly groups: number;
  /** Clips that could show it. */
  readonly of: number;
  /** λ of the L2 penalty. */
  readonly regularisation: number;
  readonly threshold: number;
  readonly auc?: number;
  readonly auc_interval?: Interval;
}

/** How the head holds where fewer steps are kept. */
export interface SamplerFigures {
  readonly sampler: SamplerOptions;
  readonly kept_ratio: number;
  readonly auc?: number;
  readonly accuracy: number;
}
