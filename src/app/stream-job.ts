import type { EventSettings, StreamSettings } from '../config/types.ts';
import type { Logger } from '../core/logger.ts';
import type { PipelineReference, StreamStatus } from '../core/records.ts';
import { clipStatsOf, createEpisodeTracker, type EpisodePolicy } from '../events/index.ts';
import type { EngineInfo, InferenceEngine } from '../inference/engine.ts';
import { createClipStream } from '../ingest/index.ts';
import { createStatusRecorder } from '../pipeline/stream-status.ts';
import type { PipelineObserver, RecordLog, StreamJob } from '../pipeline/types.ts';
import { samplerFromFlags, type SamplerFlags } from './model-choice.ts';

export interface JobContext {
  readonly engine: InferenceEngine;
  /** For all streams; a stream's own win. */
  readonly samplerFlags: SamplerFlags;
  readonly pipeline: PipelineReference;
  readonly log: RecordLog;
  /** Takes what streams tell of themselves; the run waits for it before it ends. */
  readonly recordStatus: (status: StreamStatus) => void;
  readonly logger: Logger;
  readonly ffmpegPath: string;
  readonly observer?: PipelineObserver;
}

/** A live clock starts at the first packet's arrival: buffers of camera, network and decoder come before it. */
const WALLCLOCK_UNCERTAINTY_MS = 1000;

/** One configured stream, wired to the engine and the journal. Builds only. @throws CONFIG_INVALID */
export function createStreamJob(settings: StreamSettings, context: JobContext): StreamJob {
  const { engine, samplerFlags, pipeline, log, recordStatus, logger, ffmpegPath, observer } = context;
  const { info } = engine;
  const { streamId, sampler: ownSampler, events, ...source } = settings;
  const sampler = samplerFromFlags({ ...samplerFlags, ...ownSampler }, info.sampler);
  const window = { frames: info.frames, ...info.clip, ...settings.window };
  const status = createStatusRecorder(streamId, pipeline, Date.now());
  const clips = createClipStream(
    { ...source, streamId, window, width: info.width, height: info.height, ffmpegPath },
    {
      logger,
      onTransition: (transition) => {
        logger.info(
          { stream_id: streamId, state: transition.state, reason: transition.reason },
          'stream state',
        );
        recordStatus(status.transition(transition));
      },
      onGap: (gap) => {
        recordStatus(status.gap(gap));
      },
    },
  );
  const model = { labels: info.labels, sampler: sampler.kind, model: info.model, pipeline };
  const tracker = createEpisodeTracker({
    ...model,
    streamId,
    ...policiesOf(events, info),
    ...(info.backgroundId !== undefined && { backgroundId: info.backgroundId }),
    ...(events.allow && { allow: events.allow }),
    strideMs: (window.stride / window.fps) * 1000,
    clockSource: clips.clockSource,
    uncertaintyMs: clips.clockSource === 'media' ? Math.ceil(1000 / window.fps) : WALLCLOCK_UNCERTAINTY_MS,
  });
  return {
    clips,
    engine,
    sampler,
    tracker,
    statsOf: (clip, frames, sequence) => clipStatsOf(clip, { ...model, streamId, sequence, frames }),
    log,
    logger,
    ...(observer && { observer }),
  };
}

/** Thresholds where neither the configuration nor the model names any. */
const DEFAULT_ON = 0.6;
const HYSTERESIS = 0.2;

/** What the configuration says of a label wins over what it says in general, and that over the model's thresholds. */
function policiesOf(
  { policy, labels }: EventSettings,
  { thresholds = {} }: EngineInfo,
): { defaultPolicy: EpisodePolicy; policies: Readonly<Record<string, Partial<EpisodePolicy>>> } {
  const on = policy.on ?? DEFAULT_ON;
  const defaultPolicy = { ...policy, on, off: policy.off ?? Math.max(0, on - HYSTERESIS) };
  const general = {
    ...(policy.on !== undefined && { on: policy.on }),
    ...(policy.off !== undefined && { off: policy.off }),
  };
  const names = [...new Set([...Object.keys(thresholds), ...Object.keys(labels)])];
  const policies = names.map((name) => [name, { ...thresholds[name], ...general, ...labels[name] }] as const);
  return { defaultPolicy, policies: Object.fromEntries(policies) };
}
