import type { StopReason } from '../core/abort.ts';
import type { Logger } from '../core/logger.ts';
import type { PipelineReference, StreamStatus } from '../core/records.ts';
import { clipStatsOf, createEpisodeTracker } from '../events/index.ts';
import type { EngineScheduler, StreamEngine } from '../inference/scheduler/engine-scheduler.ts';
import type { EngineSpec } from '../inference/worker/spec.ts';
import { createClipStream } from '../ingest/index.ts';
import type { StreamHooks, StreamOptions } from '../ingest/types.ts';
import type { WatchedTimes } from '../sink/journal/watched-times.ts';
import { createStreamAudit, type StreamAudit } from './audit/stream-audit.ts';
import type { ComputeBudget } from './budget/compute-budget.ts';
import { clipContext, whyNoReuse } from './clip-context.ts';
import { runIdOfStream } from './run-ids.ts';
import { createStatusRecorder } from './stream-status.ts';
import { scoreUnchangedOnce } from './unchanged-clips.ts';
import type { JobSettings, PipelineObserver, RecordLog, StreamJob } from './types.ts';

export interface JobContext {
  readonly scheduler: EngineScheduler;
  /** What the run ids of files are made of; absent: their records carry none. */
  readonly runIds?: { readonly spec: EngineSpec; readonly recordings: ReadonlyMap<string, string> };
  /** Absent: δ stays as configured. */
  readonly budget?: ComputeBudget;
  readonly pipeline: PipelineReference;
  readonly log: RecordLog;
  /** Until when live streams were watched: the gap between two runs begins there. */
  readonly watched?: WatchedTimes;
  /** In a fleet: of this ownership of the stream. */
  readonly writerEpoch?: number;
  /** Why this run did not watch the stream until now; absent: it has not watched it yet. */
  readonly unwatchedBecause?: StopReason;
  /** Where the encoded video is kept, and who is told of it; absent: it is not. */
  readonly footage?: {
    readonly ringDir: string | undefined;
  } & Pick<StreamHooks, 'onSegment' | 'onFileTime'>;
  /** Takes what streams tell of themselves; the run waits for it before it ends. */
  readonly recordStatus: (status: StreamStatus) => void;
  readonly logger: Logger;
  readonly observer?: PipelineObserver;
}

/** One stream, wired to the engine and the journal. Builds only. */
export function createStreamJob(stream: JobSettings, context: JobContext): StreamJob {
  const { scheduler, budget, pipeline, log, logger, observer, writerEpoch } = context;
  const { info } = scheduler;
  const { options, episodes, sampler, about } = stream;
  const { streamId, window } = options;
  const runId = runIdFor(stream, context);
  const contextFrames = clipContext(info, window.stride);
  const noReuse = whyNoReuse(info, window.stride);
  if (noReuse !== undefined)
    logger.info({ stream_id: streamId, reason: noReuse }, 'overlapping clips reuse no steps');
  const clips = openClips(stream, runId, context);
  const model = {
    ...{ labels: info.labels, sampler: sampler.kind, model: info.model, pipeline, streamId },
    ...(runId !== undefined && { runId }),
  };
  const tracker = createEpisodeTracker({
    ...model,
    ...episodes,
    // What a file gives depends on the file alone, whoever reads it.
    ...(runId === undefined && writerEpoch !== undefined && { writerEpoch }),
    ...(about && { about }),
    ...(options.zones && { zones: options.zones }),
    ...(info.backgroundId !== undefined && { backgroundId: info.backgroundId }),
    clockSource: clips.clockSource,
    // Clips of live streams bring their own.
    uncertaintyMs: Math.ceil(1000 / window.fps),
  });
  const engine = scheduler.engineFor(streamId, { pinned: !isLive(options) });
  const audit = isLive(options) ? auditOf(stream, engine, logger) : undefined;
  return {
    clips,
    ...(about && { about }),
    live: isLive(options),
    engine: {
      ...scoreUnchangedOnce(engine),
      leave: () => {
        engine.leave();
      },
    },
    sampler,
    ...(audit && { audit }),
    ...(contextFrames !== undefined && { contextFrames }),
    ...(budget && isLive(options) && { budget: budget.forStream(clips) }),
    tracker,
    statsOf: (clip, frames, sequence) => clipStatsOf(clip, { ...model, sequence, frames }),
    log,
    logger,
    ...(observer && { observer }),
  };
}

/** Files that are read as fast as possible keep their δ, and give the same records in every run. */
function auditOf(
  { audit: targets, options: { streamId }, episodes, sampler }: JobSettings,
  engine: StreamEngine,
  logger: Logger,
): StreamAudit | undefined {
  if (!targets || targets.share === 0) return undefined;
  const { defaultPolicy, policies } = episodes;
  const thresholds = engine.info.labels.map((label) => policies[label]?.on ?? defaultPolicy.on);
  if (sampler.kind === 'none')
    logger.info({ stream_id: streamId }, 'audit: every time step is kept, so there is nothing to audit');
  return createStreamAudit(streamId, { targets, sampler, thresholds, engine, logger });
}

function runIdFor(stream: JobSettings, { runIds, scheduler: { info } }: JobContext): string | undefined {
  const recording = runIds?.recordings.get(stream.options.streamId);
  if (!runIds || recording === undefined) return undefined;
  return runIdOfStream({ recording, spec: runIds.spec, info, stream });
}

/** The clips of a stream; what they tell of it becomes status records. */
function openClips(
  { options, about }: JobSettings,
  runId: string | undefined,
  { pipeline, watched, unwatchedBecause, footage, recordStatus, logger }: JobContext,
): StreamJob['clips'] {
  const { streamId, kind } = options;
  const status = createStatusRecorder({
    ...{ streamId, pipeline, startedAtMs: Date.now() },
    ...(about && { about }),
  });
  const record = (payload: StreamStatus): void => {
    recordStatus(runId === undefined ? payload : { ...payload, run_id: runId });
  };
  const watchedUntilMs = watched?.of(streamId);
  return createClipStream(
    {
      ...options,
      ...(watchedUntilMs !== undefined && { watchedUntilMs }),
      ...(unwatchedBecause && { unwatchedBecause }),
      ...(footage?.ringDir !== undefined && { ringDir: footage.ringDir }),
    },
    {
      ...(footage && {
        onSegment: (segment) => footage.onSegment?.(segment),
        onFileTime: (time) => footage.onFileTime?.(time),
      }),
      logger,
      onTransition: (transition) => {
        record(status.transition(transition));
      },
      onGap: (gap) => {
        record(status.gap(gap));
      },
      onWatched(untilMs) {
        if (kind === 'live') watched?.note(streamId, untilMs);
      },
    },
  );
}

/** A source that goes on whether or not it is followed. */
function isLive({ kind, realtime }: Pick<StreamOptions, 'kind' | 'realtime'>): boolean {
  return kind === 'live' || realtime;
}
