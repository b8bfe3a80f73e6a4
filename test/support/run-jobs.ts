import { silentLogger } from '../../src/core/logger.ts';
import { StreamSet } from '../../src/pipeline/stream-set.ts';
import type { StreamJob, StreamOutcome } from '../../src/pipeline/types.ts';

/** Runs jobs that are built already until each has ended by itself. */
export async function runJobs(jobs: readonly StreamJob[]): Promise<readonly StreamOutcome[]> {
  const set = new StreamSet({
    build: ({ streamId }) => Promise.resolve(jobs.find(({ clips }) => clips.streamId === streamId)!),
    signal: new AbortController().signal,
    logger: silentLogger,
  });
  await Promise.all(jobs.map(({ clips: { streamId } }) => set.put({ streamId, paused: false })));
  return set.run();
}
