import type { ResolvedStream } from '../config/index.ts';
import type { ActionEvent, ClipStats, PublishedRecord, StreamDescription } from '../core/records.ts';
import type { Clip } from '../core/frame.ts';
import type { Logger } from '../core/logger.ts';
import type { EpisodeTracker, ScoredClip } from '../events/types.ts';
import type { ClipScorer } from './unchanged-clips.ts';
import type { StreamEngine } from '../inference/scheduler/engine-scheduler.ts';
import type { ClipStream } from '../ingest/types.ts';
import type { SamplerOptions } from '../sampler/types.ts';
import type { ActionstreamError } from '../core/errors.ts';
import type { StreamAudit } from './audit/stream-audit.ts';
import type { StreamBudget } from './budget/compute-budget.ts';

/** The durable log that the pipeline writes to: resolves once the records survive a crash. */
export interface RecordLog {
  append(records: readonly PublishedRecord[]): Promise<unknown>;
}

/** A stream as the model runs it. */
export interface JobSettings extends Pick<ResolvedStream, 'options' | 'about' | 'episodes' | 'audit'> {
  readonly sampler: SamplerOptions;
}

/** One stream with everything it needs; built by the composition root. */
export interface StreamJob {
  readonly clips: ClipStream;
  readonly about?: StreamDescription;
  /** A source that goes on whether or not it is followed: no failure of the engine ends the stream. */
  readonly live: boolean;
  readonly engine: Pick<StreamEngine, 'leave'> & ClipScorer;
  readonly sampler: SamplerOptions;
  /** Frames before a clip that go with it, so that overlapping clips reuse steps. Absent: no reuse. */
  readonly contextFrames?: number;
  /** Only of live streams: may raise the sampler's δ. */
  readonly budget?: StreamBudget;
  /** Only of live streams that are audited: says which δ their clips run with, whatever the budget says. */
  readonly audit?: StreamAudit;
  readonly tracker: EpisodeTracker;
  /** The clip's statistics record. */
  statsOf(clip: ScoredClip, frames: number, sequence: number): ClipStats;
  readonly log: RecordLog;
  readonly logger: Logger;
  readonly observer?: PipelineObserver;
}

/** For progress, live output and tests. Called synchronously; must not throw or block. */
export interface PipelineObserver {
  onClip?(clip: Clip, scored: ScoredClip, stats: ClipStats): void;
  onEvents?(events: readonly ActionEvent[]): void;
}

export interface StreamOutcome {
  readonly streamId: string;
  /** `ended`: the file's end. `stopped`: asked to. `failed`: `error` says why. */
  readonly reason: 'ended' | 'stopped' | 'failed';
  readonly error?: ActionstreamError;
  readonly totals: StreamTotals;
}

/** What a stream has cost and brought so far. */
export interface StreamTotals {
  readonly clips: number;
  readonly clipsFailed: number;
  /** Given up by the stream's policy before inference. */
  readonly clipsDropped: number;
  readonly events: number;
  readonly inputSteps: number;
  readonly keptSteps: number;
  readonly multiplyAdds: number;
  readonly denseMultiplyAdds: number;
}
