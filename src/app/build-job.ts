import type { StreamSettings } from '../config/index.ts';
import type { StopReason } from '../core/abort.ts';
import type { EngineSpec } from '../inference/worker/spec.ts';
import type { MediaKeeper } from '../media/media-keeper.ts';
import { recordingDigests } from '../pipeline/run-ids.ts';
import { createStreamJob, type JobContext } from '../pipeline/stream-job.ts';
import type { StreamJob } from '../pipeline/types.ts';
import { streamSettingsOf } from './stream-settings.ts';

/** What the jobs of a run share. */
export interface JobParts extends Omit<JobContext, 'runIds' | 'unwatchedBecause' | 'footage'> {
  /** Absent: no video is kept. */
  readonly media?: MediaKeeper;
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
  { spec, ffmpegPath, signal, media, ...context }: JobParts,
): Promise<StreamJob> {
  const recordings = await recordingDigests([stream], signal);
  if (!stream.media) media?.forget(stream.streamId);
  const footage = stream.media ? await media?.begin(stream.streamId, stream.kind) : undefined;
  return createStreamJob(streamSettingsOf(stream, context.scheduler.info, ffmpegPath), {
    ...context,
    runIds: { spec, recordings },
    ...(after && { unwatchedBecause: after }),
    ...(footage && { footage }),
  });
}
