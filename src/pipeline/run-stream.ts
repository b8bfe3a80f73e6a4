import { stopReasonOf } from '../core/abort.ts';
import { ActionstreamError, toActionstreamError } from '../core/errors.ts';
import type { Clip } from '../core/frame.ts';
import type { ActionEvent, EndReason, PublishedRecord } from '../core/records.ts';
import { createThrottledReporter, type ThrottledReporter } from '../core/throttled-reporter.ts';
import type { ScoredClip } from '../events/types.ts';
import { createPixelPacker, type PackedClip } from './pack-pixels.ts';
import { scoreClip } from './score-clip.ts';
import type { StreamJob, StreamOutcome, StreamTotals } from './types.ts';

/** A file whose clips fail one after the other, this often, ends with an error. A live stream goes on. */
const FAILED_CLIPS_OF_FILE = 5;

/** Runs one stream until its source ends, fails or is aborted. */
export function runStream(job: StreamJob, signal: AbortSignal): Promise<StreamOutcome> {
  return new StreamRun(job, signal).run();
}

/**
 * One stream, from its first clip to its last. States of a clip:
 * - formed: it waits in the bounded queue of the clip stream. One clip of a stream leaves it at a time.
 * - in inference: the one scheduler of all streams gives it its turn.
 * - failed: it could not be scored. It is counted, and its time becomes a gap.
 * - scored: episodes are updated.
 * - journalled: its statistics and events are durable. The next clip of the stream is taken.
 *
 * Ends of the stream:
 * - ended: the source has ended.
 * - stopped: the signal came, for the whole run or for this stream.
 * - failed: the source or the journal failed, or FAILED_CLIPS_OF_FILE clips of a file in a row. The
 *   engine ends no live stream.
 *
 * On every way out the open episodes are ended and journalled.
 */
class StreamRun {
  readonly #job: StreamJob;
  readonly #signal: AbortSignal;
  readonly #problems: ThrottledReporter;
  readonly #pack: (clip: Clip) => PackedClip;
  readonly #totals: { -readonly [K in keyof StreamTotals]: number } = {
    ...{ clips: 0, clipsFailed: 0, clipsDropped: 0, events: 0 },
    ...{ inputSteps: 0, keptSteps: 0, multiplyAdds: 0, denseMultiplyAdds: 0 },
  };
  #failedInARow: Clip[] = [];

  constructor(job: StreamJob, signal: AbortSignal) {
    this.#job = job;
    this.#signal = signal;
    this.#pack = createPixelPacker(job);
    this.#problems = createThrottledReporter(job.logger, {
      message: 'clips could not be inferred',
      fields: { stream_id: job.clips.streamId },
    });
  }

  async run(): Promise<StreamOutcome> {
    try {
      for await (const clip of this.#job.clips.clips(this.#signal)) await this.#process(clip);
    } catch (error) {
      if (!this.#signal.aborted) return this.#finish('failed', 'end_of_stream', error);
    }
    return this.#signal.aborted
      ? this.#finish('stopped', stopReasonOf(this.#signal) === 'moved' ? 'moved' : 'shutdown')
      : this.#finish('ended', 'end_of_stream');
  }

  async #process(clip: Clip): Promise<void> {
    const scored = await this.#score(clip);
    if (!scored) return;
    const { tracker, observer } = this.#job;
    this.#count(scored);
    const stats = this.#job.statsOf(scored, clip.frames.length - clip.paddedFrames, clip.sequence);
    await this.#publish(tracker.observe(scored), [{ type: 'clip.stats', payload: stats }]);
    observer?.onClip?.(clip, scored, stats);
  }

  /** Undefined where the clip cannot be scored. @throws what ends the stream */
  async #score(clip: Clip): Promise<ScoredClip | undefined> {
    try {
      const scored = await scoreClip(this.#job, { clip, pixels: this.#pack(clip) }, this.#signal);
      this.#failedInARow = [];
      return scored;
    } catch (error) {
      if (this.#signal.aborted) throw error;
      this.#passOver(clip, toActionstreamError(error));
      return undefined;
    }
  }

  /** @throws where a file has failed too often */
  #passOver(clip: Clip, failure: ActionstreamError): void {
    this.#totals.clipsFailed += 1;
    this.#job.clips.giveUp(clip, 'failed');
    this.#problems.note(`${failure.code}: ${failure.message}`);
    if (this.#job.live) return;
    this.#failedInARow.push(clip);
    if (this.#failedInARow.length === FAILED_CLIPS_OF_FILE) throw givenUp(this.#failedInARow, failure);
  }

  async #publish(events: readonly ActionEvent[], stats: readonly PublishedRecord[]): Promise<void> {
    const records = [...events.map((payload) => ({ type: 'action.event', payload }) as const), ...stats];
    if (records.length === 0) return;
    await this.#job.log.append(records);
    this.#totals.events += events.length;
    if (events.length > 0) this.#job.observer?.onEvents?.(events);
  }

  async #finish(
    reason: StreamOutcome['reason'],
    endReason: EndReason,
    thrown?: unknown,
  ): Promise<StreamOutcome> {
    const { clips, tracker, engine, budget } = this.#job;
    this.#problems.flush();
    await this.#publish(tracker.close(endReason), []);
    engine.leave();
    budget?.leave();
    this.#totals.clipsDropped = sumOf(clips.counters.clipsDropped);
    const outcome = { streamId: clips.streamId, reason, totals: this.#totals };
    return thrown === undefined ? outcome : { ...outcome, error: toActionstreamError(thrown) };
  }

  #count({ compute }: ScoredClip): void {
    const totals = this.#totals;
    totals.clips += 1;
    totals.inputSteps += compute.inputSteps;
    totals.keptSteps += compute.keptSteps;
    totals.multiplyAdds += compute.multiplyAdds;
    totals.denseMultiplyAdds += compute.denseMultiplyAdds;
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

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
