import { abortLater } from '../core/abort.ts';
import type { Logger } from '../core/logger.ts';
import { runStreams } from '../pipeline/run-streams.ts';
import type { StreamJob, StreamOutcome } from '../pipeline/types.ts';

/** A stream that was told to stop has so long to end its source, its clip and its episodes. */
const STOP_MS = 5000;

/**
 * Runs all streams until each has ended. Told to stop, it waits STOP_MS and leaves behind what has not ended by then: a
 * source or an engine that hears no signal. Such streams have no outcome; the log names them.
 */
export async function runStreamsUntil(
  jobs: readonly StreamJob[],
  { signal, logger }: { readonly signal: AbortSignal; readonly logger: Logger },
): Promise<readonly StreamOutcome[]> {
  const outcomes: (StreamOutcome | undefined)[] = jobs.map(() => undefined);
  const all = Promise.all(
    jobs.map(async (job, index) => {
      [outcomes[index]] = await runStreams([job], { signal, logger });
    }),
  );
  const late = abortLater(signal, STOP_MS);
  const given = new Promise<void>((resolve) => {
    late.signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
  try {
    await Promise.race([all, given]);
  } finally {
    late.cancel();
  }
  const left = jobs.filter((_, index) => outcomes[index] === undefined).map(({ clips }) => clips.streamId);
  if (left.length > 0)
    logger.error({ stream_ids: left }, 'streams did not end in time; the next run ends their open episodes');
  return outcomes.filter((outcome) => outcome !== undefined);
}
