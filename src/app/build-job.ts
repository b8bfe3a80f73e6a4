import type { StreamSettings } from '../config/index.ts';
import type { StopReason } from '../core/abort.ts';
import type { EngineSpec } from '../inference/worker/spec.ts';
import { recordingDigests } from '../pipeline/run-ids.ts';
import { createStreamJob, type JobContext } from '../pipeline/stream-job.ts';
import type { StreamJob } from '../pipeline/types.ts';
import { streamSettingsOf } from './stream-settings.ts';

/** What the jobs of a run share. */
export interface JobParts extends Omit<JobContext, 'runIds' | 'unwatchedBecause'> {
  readonly spec: EngineSpec;
  readonly ffmpegPath: string;
  readonly signal: AbortSignal;
}

/**
 * The job of a configured stream.
 * @param after why this run stopped watching the stream, where it did before
 * @throws ActionstreamError where the settings do not fit the model
 */
export async function buildJob(
  stream: StreamSettings,
  after: StopReason | undefined,
  { spec, ffmpegPath, signal, ...context }: JobParts,
): Promise<StreamJob> {
  const recordings = await recordingDigests([stream], signal);
  return createStreamJob(streamSettingsOf(stream, context.scheduler.info, ffmpegPath), {
    ...context,
    runIds: { spec, recordings },
    ...(after && { unwatchedBecause: after }),
  });
}
