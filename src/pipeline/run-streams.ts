import type { Logger } from '../core/logger.ts';
import { runStream } from './run-stream.ts';
import type { StreamJob, StreamOutcome } from './types.ts';

/**
 * Runs all streams side by side until each has ended, failed or been aborted. One stream's failure leaves the others
 * running. Each has one clip in inference or waiting for it; the scheduler that they share decides whose turn it is.
 */
export async function runStreams(
  jobs: readonly StreamJob[],
  { signal, logger }: { readonly signal: AbortSignal; readonly logger: Logger },
): Promise<readonly StreamOutcome[]> {
  return Promise.all(
    jobs.map(async (job) => {
      // A signal of its own: listeners of many streams on one would look like a leak.
      const outcome = await runStream(job, AbortSignal.any([signal]));
      const { streamId, reason, totals, error } = outcome;
      const { clips, clipsDropped, clipsFailed, events } = totals;
      const fields = {
        ...{ stream_id: streamId, reason, clips, events },
        ...{ clips_dropped: clipsDropped, clips_failed: clipsFailed },
      };
      if (error)
        logger.error({ ...fields, err: { type: error.code, message: error.message } }, 'stream failed');
      else logger.info(fields, 'stream finished');
      return outcome;
    }),
  );
}
