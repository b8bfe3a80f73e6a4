import type { ClipStats, PublishedRecord, PipelineReference } from '../core/records.ts';
import type { Logger } from '../core/logger.ts';
import { messageOf } from '../core/errors.ts';
import { clipStatsOf, createEpisodeTracker } from '../events/index.ts';
import type { InferenceEngine } from '../inference/engine.ts';
import { createClipStream } from '../ingest/index.ts';
import { createStatusRecorder } from '../pipeline/stream-status.ts';
import type { PipelineObserver, RecordLog, StreamJob } from '../pipeline/types.ts';
import type { SamplerOptions } from '../sampler/index.ts';
import type { StreamSettings } from './run-settings.ts';

export interface JobContext {
  readonly engine: InferenceEngine;
  readonly sampler: SamplerOptions;
  readonly pipeline: PipelineReference;
  readonly log: RecordLog;
  readonly logger: Logger;
  readonly ffmpegPath: string;
  readonly observer?: PipelineObserver;
}

/** Live clocks start at the first packet's arrival: buffering in camera, network and decoder comes before it. */
const WALLCLOCK_UNCERTAINTY_MS = 1000;

/** One configured stream, wired to the engine and the journal. Builds only. @throws CONFIG_INVALID */
export function createStreamJob(settings: StreamSettings, context: JobContext): StreamJob {
  const { engine, sampler, pipeline, log, ffmpegPath, observer } = context;
  const { info } = engine;
  const { streamId } = settings.source;
  const logger = context.logger;
  const window = {
    frames: info.frames,
    stride: info.clip.stride,
    fps: info.clip.fps,
    tail: 'pad',
    ...settings.window,
  } as const;
  const status = createStatusRecorder(streamId, pipeline, Date.now());
  const record = (payload: PublishedRecord & { type: 'stream.status' }): void => {
    log.append([payload]).catch((error: unknown) => {
      logger.error({ stream_id: streamId, err: messageOf(error) }, 'stream status could not be journalled');
    });
  };
  const clips = createClipStream(
    { ...settings.source, window, width: info.width, height: info.height, ffmpegPath },
    {
      logger,
      onTransition: (transition) => {
        logger.info(
          { stream_id: streamId, state: transition.state, reason: transition.reason },
          'stream state',
        );
        record({ type: 'stream.status', payload: status.transition(transition) });
      },
      onGap: (gap) => {
        record({ type: 'stream.status', payload: status.gap(gap) });
      },
    },
  );
  const tracker = createEpisodeTracker({
    streamId,
    labels: info.labels,
    ...(info.backgroundId !== undefined && { backgroundId: info.backgroundId }),
    ...(settings.events.allow && { allow: settings.events.allow }),
    defaultPolicy: settings.events.defaultPolicy,
    policies: mergePolicies(info.thresholds ?? {}, settings.events.policies),
    strideMs: (window.stride / window.fps) * 1000,
    clockSource: clips.clockSource,
    uncertaintyMs: clips.clockSource === 'media' ? Math.ceil(1000 / window.fps) : WALLCLOCK_UNCERTAINTY_MS,
    sampler: sampler.kind,
    model: info.model,
    pipeline,
  });
  const statsOf: StreamJob['statsOf'] = (clip, frames, sequence): ClipStats =>
    clipStatsOf(clip, {
      streamId,
      sequence,
      frames,
      labels: info.labels,
      sampler: sampler.kind,
      model: info.model,
      pipeline,
    });
  return { clips, engine, sampler, tracker, statsOf, log, logger, ...(observer && { observer }) };
}

type Policies = StreamSettings['events']['policies'];

function mergePolicies(model: Policies, configured: Policies): Policies {
  const labels = new Set([...Object.keys(model), ...Object.keys(configured)]);
  return Object.fromEntries([...labels].map((label) => [label, { ...model[label], ...configured[label] }]));
}
