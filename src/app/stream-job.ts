import { resolveStream, type ResolvedStream, type StreamSettings } from '../config/index.ts';
import { ActionstreamError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { PipelineReference, StreamStatus } from '../core/records.ts';
import { clipStatsOf, createEpisodeTracker } from '../events/index.ts';
import type { EngineScheduler } from '../inference/scheduler/engine-scheduler.ts';
import type { EngineSpec } from '../inference/worker/spec.ts';
import { createClipStream } from '../ingest/index.ts';
import type { ComputeBudget } from '../pipeline/budget/compute-budget.ts';
import { createStatusRecorder } from '../pipeline/stream-status.ts';
import type { PipelineObserver, RecordLog, StreamJob } from '../pipeline/types.ts';
import type { SamplerOptions } from '../sampler/types.ts';
import type { WatchedTimes } from '../sink/journal/watched-times.ts';
import { clipContext, whyOneByOne } from './clip-context.ts';
import { samplerFromFlags } from './model-choice.ts';
import { runIdOfStream } from './run-ids.ts';

export interface JobContext {
  readonly scheduler: EngineScheduler;
  /** What the run ids of files are made of; absent: their records carry none. */
  readonly runIds?: { readonly spec: EngineSpec; readonly recordings: ReadonlyMap<string, string> };
  /** Absent: δ stays as configured. */
  readonly budget?: ComputeBudget;
  readonly pipeline: PipelineReference;
  readonly log: RecordLog;
  /** Until when live streams were watched: gaps between two runs are told from it. */
  readonly watched?: WatchedTimes;
  /** Takes what streams tell of themselves; the run waits for it before it ends. */
  readonly recordStatus: (status: StreamStatus) => void;
  readonly logger: Logger;
  readonly ffmpegPath: string;
  readonly observer?: PipelineObserver;
}

/**
 * One configured stream, wired to the engine and the journal. Builds only.
 * @throws ActionstreamError CONFIG_INVALID; MODEL_INVALID where the model gives no scores
 */
export function createStreamJob(settings: StreamSettings, context: JobContext): StreamJob {
  const { scheduler, budget, pipeline, log, recordStatus, logger, ffmpegPath, observer } = context;
  const { info } = scheduler;
  if (info.embedding) {
    throw new ActionstreamError(
      'MODEL_INVALID',
      `${info.model.id} computes embeddings, not scores of labels, so nothing can become an event; use infer --json`,
    );
  }
  const stream = resolveStream(settings, info, ffmpegPath);
  const { options, episodes } = stream;
  const { streamId, window } = options;
  const sampler = samplerFromFlags(settings.sampler, info.sampler);
  const runId = runIdFor({ stream, sampler }, context);
  const run = runId === undefined ? {} : { runId };
  const contextFrames = clipContext(info, window.stride);
  const oneByOne = whyOneByOne(info, window.stride);
  if (oneByOne !== undefined)
    logger.info({ stream_id: streamId, reason: oneByOne }, 'overlapping clips share no work');
  const status = createStatusRecorder(streamId, pipeline, Date.now());
  const record = (payload: StreamStatus): void => {
    recordStatus(runId === undefined ? payload : { ...payload, run_id: runId });
  };
  const watchedUntilMs = context.watched?.of(streamId);
  const clips = createClipStream(
    { ...options, ...(watchedUntilMs !== undefined && { watchedUntilMs }) },
    {
      logger,
      onTransition: (transition) => {
        record(status.transition(transition));
      },
      onGap: (gap) => {
        record(status.gap(gap));
      },
      onWatched(untilMs) {
        if (options.kind === 'live') context.watched?.note(streamId, untilMs);
      },
    },
  );
  const model = { labels: info.labels, sampler: sampler.kind, model: info.model, pipeline };
  const tracker = createEpisodeTracker({
    ...model,
    ...episodes,
    ...run,
    streamId,
    ...(info.backgroundId !== undefined && { backgroundId: info.backgroundId }),
    clockSource: clips.clockSource,
    // Clips of live streams bring their own.
    uncertaintyMs: Math.ceil(1000 / window.fps),
  });
  return {
    clips,
    live: isLive(options),
    engine: scheduler.engineFor(streamId, { pinned: !isLive(options) }),
    sampler,
    ...(contextFrames !== undefined && { contextFrames }),
    ...(budget && isLive(options) && { budget: budget.forStream(clips) }),
    tracker,
    statsOf: (clip, frames, sequence) => clipStatsOf(clip, { ...model, ...run, streamId, sequence, frames }),
    log,
    logger,
    ...(observer && { observer }),
  };
}

function runIdFor(
  { stream, sampler }: { readonly stream: ResolvedStream; readonly sampler: SamplerOptions },
  { runIds, scheduler: { info } }: JobContext,
): string | undefined {
  const recording = runIds?.recordings.get(stream.options.streamId);
  if (!runIds || recording === undefined) return undefined;
  return runIdOfStream({ recording, spec: runIds.spec, info, stream, sampler });
}

/** A source that goes on whether or not it is followed. */
function isLive({ kind, realtime }: Pick<StreamSettings, 'kind' | 'realtime'>): boolean {
  return kind === 'live' || realtime;
}
