import { backoffMs, sleep } from '../core/abort.ts';
import { ActionstreamError, toActionstreamError } from '../core/errors.ts';
import type { Clip } from '../core/frame.ts';
import type { ActionEvent, EndReason, PublishedRecord } from '../core/records.ts';
import { createThrottledReporter } from '../core/throttled-reporter.ts';
import { monotonicMs } from '../core/time.ts';
import type { ScoredClip } from '../events/types.ts';
import type { PixelClip } from '../inference/engine.ts';
import { createPixelPacker } from './pack-pixels.ts';
import type { StreamJob, StreamOutcome, StreamTotals } from './types.ts';

/** A file whose clips fail one after the other, this often, ends with an error. A live stream goes on. */
const FAILED_CLIPS_OF_FILE = 5;
/** A file can wait: a clip that the engine failed on is tried again so often. */
const RETRIES_OF_FILE = 2;
const RETRY = { firstMs: 500, maxMs: 5000 };

/**
 * Runs one stream until its source ends, fails or is aborted. States of a clip: formed (waiting in the clip stream's
 * bounded queue) → in inference (one a stream; the scheduler gives it its turn) → scored → journalled, before
 * the next clip of the stream is taken; or in inference → failed, counted and passed over. What the engine does ends no
 * live stream; a file ends with an error after FAILED_CLIPS_OF_FILE in a row. A journal that refuses ends either.
 * On every way out the open episodes are ended and journalled.
 */
export async function runStream(job: StreamJob, signal: AbortSignal): Promise<StreamOutcome> {
  const { clips, tracker, log, logger, observer } = job;
  const problems = createThrottledReporter(logger, {
    message: 'clips could not be inferred',
    fields: { stream_id: clips.streamId },
  });
  const totals = { ...NO_TOTALS };
  const pack = createPixelPacker(job.contextFrames);
  let failedInARow: Clip[] = [];

  const publish = async (
    events: readonly ActionEvent[],
    stats: readonly PublishedRecord[],
  ): Promise<void> => {
    const records = [...events.map((payload) => ({ type: 'action.event', payload }) as const), ...stats];
    if (records.length === 0) return;
    await log.append(records);
    totals.events += events.length;
    if (events.length > 0) observer?.onEvents?.(events);
  };

  /** Undefined where the clip cannot be scored. @throws what ends the stream */
  const score = async (clip: Clip): Promise<ScoredClip | undefined> => {
    try {
      const scored = await scoreWithRetries(job, { clip, pixels: pack(clip) }, signal);
      failedInARow = [];
      return scored;
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = toActionstreamError(error);
      totals.clipsFailed += 1;
      clips.giveUp(clip, 'failed');
      problems.note(`${failure.code}: ${failure.message}`);
      if (job.live) return undefined;
      failedInARow.push(clip);
      if (failedInARow.length === FAILED_CLIPS_OF_FILE) throw givenUp(failedInARow, failure);
      return undefined;
    }
  };

  const processClip = async (clip: Clip): Promise<void> => {
    const scored = await score(clip);
    if (!scored) return;
    count(totals, scored);
    const stats = job.statsOf(scored, clip.frames.length - clip.paddedFrames, clip.sequence);
    await publish(tracker.observe(scored), [{ type: 'clip.stats', payload: stats }]);
    observer?.onClip?.(clip, scored, stats);
  };

  const finish = async (
    reason: StreamOutcome['reason'],
    endReason: EndReason,
    thrown?: unknown,
  ): Promise<StreamOutcome> => {
    problems.flush();
    await publish(tracker.close(endReason), []);
    job.engine.leave();
    job.budget?.leave();
    totals.clipsDropped = sumOf(clips.counters.clipsDropped);
    const outcome = { streamId: clips.streamId, reason, totals };
    return thrown === undefined ? outcome : { ...outcome, error: toActionstreamError(thrown) };
  };

  try {
    for await (const clip of clips.clips(signal)) await processClip(clip);
  } catch (error) {
    if (!signal.aborted) return finish('failed', 'end_of_stream', error);
  }
  return signal.aborted ? finish('stopped', 'shutdown') : finish('ended', 'end_of_stream');
}

const NO_TOTALS: StreamTotals = {
  clips: 0,
  clipsFailed: 0,
  clipsDropped: 0,
  events: 0,
  inputSteps: 0,
  keptSteps: 0,
  multiplyAdds: 0,
  denseMultiplyAdds: 0,
};

interface PackedClip {
  readonly clip: Clip;
  readonly pixels: PixelClip;
}

/** A live stream takes its next clip instead: what waits meanwhile would be dropped. */
async function scoreWithRetries(
  job: StreamJob,
  packed: PackedClip,
  signal: AbortSignal,
): Promise<ScoredClip> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await scoreClip(job, packed, signal);
    } catch (error) {
      const { retryable } = toActionstreamError(error);
      if (job.live || !retryable || attempt === RETRIES_OF_FILE || signal.aborted) throw error;
      await sleep(backoffMs(attempt, RETRY), signal);
    }
  }
}

function givenUp(failed: readonly Clip[], last: ActionstreamError): ActionstreamError {
  const fromS = ((failed[0]?.startUs ?? 0) / 1e6).toFixed(3);
  return new ActionstreamError(
    last.code,
    `${failed.length} clips in a row could not be scored; nothing is scored from ${fromS} s of the file to its end: ${last.message}`,
    { cause: last },
  );
}

async function scoreClip(
  job: StreamJob,
  { clip, pixels }: PackedClip,
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

function count(totals: { -readonly [K in keyof StreamTotals]: number }, { compute }: ScoredClip): void {
  totals.clips += 1;
  totals.inputSteps += compute.inputSteps;
  totals.keptSteps += compute.keptSteps;
  totals.multiplyAdds += compute.multiplyAdds;
  totals.denseMultiplyAdds += compute.denseMultiplyAdds;
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
