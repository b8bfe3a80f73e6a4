import type { Region, Zone } from '../core/region.ts';
import type { ComputeStats } from '../core/compute.ts';
import type {
  ActionEvent,
  EndReason,
  ModelReference,
  PipelineReference,
  StreamDescription,
} from '../core/records.ts';
import type { ClockSource } from '../core/frame.ts';

/** When a score becomes an episode. Durations are milliseconds of event time. */
export interface EpisodePolicy {
  /** An episode may start at a smoothed score ≥ on, and goes on while it is ≥ off (hysteresis: off ≤ on). */
  readonly on: number;
  readonly off: number;
  /** Exponential smoothing over clips: weight of the newest score, 1 = none. */
  readonly smoothing: number;
  /** Shorter episodes are never published: `started` waits until this much has passed. */
  readonly minDurationMs: number;
  /** A dip below `off` no longer than this does not end the episode. */
  readonly mergeGapMs: number;
  /** After an end, this label stays silent on this stream for so long. */
  readonly cooldownMs: number;
  /** An episode this long is ended (`max_duration`) and may start anew. */
  readonly maxDurationMs: number;
  /** `updated` at most this often while an episode lasts. */
  readonly updateIntervalMs: number;
}

/** One clip with its scores, as the tracker sees it. Times are event time. */
export interface ScoredClip {
  readonly clipId: string;
  readonly segment: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly startUs: number;
  readonly endUs: number;
  /** When the clip's last frame was received, ms since 1970. */
  readonly ingestedAtMs: number;
  /** How far its times may be from the truth, where that was measured. */
  readonly uncertaintyMs?: number;
  /** When its scores were ready, ms since 1970. */
  readonly processedAtMs: number;
  /** One score a label, in [0, 1]. */
  readonly scores: Float32Array;
  readonly compute: ComputeStats;
  /**
   * δ of the sampler, where it has one: the configured one, a larger one on a tight budget, or the one that
   * the audit allows.
   */
  readonly delta?: number;
  /** Where it is not the stream's. */
  readonly sampler?: string;
  /** Where the frame moved, worked out when it is asked for. */
  readonly region?: () => Region | undefined;
  /** Only of audited streams. */
  readonly audit?: AuditNote;
}

/** What the audit of a stream (src/pipeline/audit) knew when the clip began. */
export interface AuditNote {
  /**
   * With the dense network, of the δ in use: mean over the audited clips of late; absent before the first
   * one.
   */
  readonly agreement?: number;
  readonly agreementLow?: number;
  /** δ in use over the configured one; 0: dense. */
  readonly deltaScale: number;
  /** Since the clip before. */
  readonly deltaChanges: number;
}

export interface EpisodeTrackerOptions {
  readonly streamId: string;
  readonly about?: StreamDescription;
  /** Events name those that their region touches. */
  readonly zones?: readonly Zone[];
  /** Only of files: what makes their results differ from those of other recordings, models and settings. */
  readonly runId?: string;
  /** Only of live streams in a fleet: grows with each owner. */
  readonly writerEpoch?: number;
  readonly labels: readonly string[];
  /** Never becomes an event. */
  readonly backgroundId?: number;
  /** Only these labels, where given. */
  readonly allow?: readonly string[];
  readonly defaultPolicy: EpisodePolicy;
  readonly policies: Readonly<Record<string, Partial<EpisodePolicy>>>;
  /** Time between clip starts: the resolution of onset and offset. */
  readonly strideMs: number;
  readonly clockSource: ClockSource;
  /** Of clips that do not bring their own. */
  readonly uncertaintyMs: number;
  readonly sampler: string;
  readonly model: ModelReference;
  readonly pipeline: PipelineReference;
}

/** Scores over time → episodes. Pure state: no clock, no I/O; the same clips give the same events. */
export interface EpisodeTracker {
  observe(clip: ScoredClip): readonly ActionEvent[];
  /** Ends what is open: the stream ended, jumped or shuts down. */
  close(reason: EndReason): readonly ActionEvent[];
  readonly openEpisodes: number;
}
