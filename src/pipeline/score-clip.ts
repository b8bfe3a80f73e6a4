import { backoffMs, sleep } from '../core/abort.ts';
import { toActionstreamError } from '../core/errors.ts';
import type { Clip } from '../core/frame.ts';
import { monotonicMs } from '../core/time.ts';
import type { ScoredClip } from '../events/types.ts';
import type { PackedClip } from './pack-pixels.ts';
import type { StreamJob } from './types.ts';

/** A file can wait: a clip that the engine failed on is tried again so often. */
const RETRIES_OF_FILE = 2;
const RETRY = { firstMs: 500, maxMs: 5000 };

/**
 * A clip through the engine. One of a file is tried again where another try may succeed. A live stream
 * takes its next clip instead: what waits meanwhile would be dropped.
 */
export async function scoreClip(
  job: StreamJob,
  packed: { readonly clip: Clip; readonly pixels: PackedClip },
  signal: AbortSignal,
): Promise<ScoredClip> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await scoreOnce(job, packed, signal);
    } catch (error) {
      const { retryable } = toActionstreamError(error);
      if (job.live || !retryable || attempt === RETRIES_OF_FILE || signal.aborted) throw error;
      await sleep(backoffMs(attempt, RETRY), signal);
    }
  }
}

async function scoreOnce(
  job: StreamJob,
  { clip, pixels }: Parameters<typeof scoreClip>[1],
  signal: AbortSignal,
): Promise<ScoredClip> {
  const queuedAt = monotonicMs();
  const sampler = job.budget?.samplerFor(job.sampler) ?? job.sampler;
  const result = await job.engine.infer(pixels, { sampler, signal });
  const { lowerMs, samplerMs, upperMs } = result.compute;
  const queueMs = Math.max(0, monotonicMs() - queuedAt - lowerMs - samplerMs - upperMs);
  const ingestedAtMs = clip.frames.at(-1)?.ingestedAtMs ?? clip.endedAtMs;
  const processedAtMs = Date.now();
  job.budget?.record({ compute: result.compute, latencyMs: processedAtMs - ingestedAtMs });
  return {
    clipId: clip.clipId,
    segment: clip.segment,
    startMs: clip.startedAtMs,
    endMs: clip.endedAtMs,
    startUs: clip.startUs,
    endUs: clip.endUs,
    ingestedAtMs,
    ...uncertaintyOf(clip),
    processedAtMs,
    scores: result.scores,
    compute: { ...result.compute, queueMs },
    ...(sampler.kind === 'ordered' && { delta: sampler.width }),
  };
}

function uncertaintyOf({ frames }: Clip): { uncertaintyMs?: number } {
  const known = frames.flatMap(({ uncertaintyMs }) => uncertaintyMs ?? []);
  return known.length === 0 ? {} : { uncertaintyMs: Math.max(...known) };
}
