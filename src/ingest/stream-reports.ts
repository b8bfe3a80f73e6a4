import type { Clip, StreamTransition } from '../core/frame.ts';
import { createThrottledReporter, type ThrottledReporter } from '../core/throttled-reporter.ts';
import type { Discontinuity } from './frame-assembler.ts';
import type { CameraFault } from './fault-watch.ts';
import type { StreamHooks, StreamOptions } from './types.ts';
import { createWatchedTime, type WatchedTime } from './watched-time.ts';

const GAP_REPORT_MS = 10_000;

const UP_REASONS = {
  start: 'first_frame',
  hole: 'pts_jump',
  step_back: 'pts_jump',
  clock_set: 'clock_set',
} as const satisfies Record<Discontinuity['why'], string>;

/**
 * What a stream reports of itself: transitions, and gaps in its watched time. The last report is the state of
 * the stream, because a compacted topic keeps only that. States of the newest segment:
 *
 * - **begun**: frames of it have come, but clips of the segment before may still be incomplete. Nothing is
 *   reported yet.
 * - **up**: the gap before it is reported, then `up`, and `faulty` where the frame is. Gaps in its middle
 *   repeat its last transition.
 */
export class StreamReports {
  readonly #streamId: string;
  readonly #hooks: StreamHooks;
  readonly #fields: object;
  readonly #watched: WatchedTime;
  readonly #unwatched: ThrottledReporter;
  readonly #whyNotBefore: string;
  #startedAtMs = 0;
  #framesSeen = false;
  /** Why the next segment does not continue the last: the fault behind the last disconnect. */
  #whyDown: string | undefined;
  #lastTransition: StreamTransition | undefined;
  #gapReported = false;
  #begun: Discontinuity | undefined;
  #fault: CameraFault | undefined;

  /** @param fields that each log line carries */
  constructor(options: StreamOptions, hooks: StreamHooks, fields: object) {
    const { streamId, kind, window, watchedUntilMs, unwatchedBecause = 'not_running' } = options;
    this.#streamId = streamId;
    this.#whyNotBefore = unwatchedBecause;
    this.#hooks = hooks;
    this.#fields = fields;
    this.#unwatched = createThrottledReporter(hooks.logger, {
      ...{ message: 'clips were dropped, and no other covers their time', fields },
      intervalMs: GAP_REPORT_MS,
    });
    this.#watched = createWatchedTime(
      { ...window, ...(watchedUntilMs !== undefined && kind === 'live' && { sinceMs: watchedUntilMs }) },
      (gap) => {
        this.#gapReported = true;
        hooks.onGap({ streamId, ...gap });
        if (gap.reason === 'freshest')
          this.#unwatched.note(`${((gap.toMs - gap.fromMs) / 1000).toFixed(1)} s`);
      },
    );
  }

  /** The source is about to be read. */
  start(): void {
    this.#startedAtMs = Date.now();
  }

  /** A segment begins with the next frame. */
  begin(discontinuity: Discontinuity): void {
    this.#begun = discontinuity;
  }

  /** A frame has been taken, and clips that it completes are formed. */
  framed(): void {
    if (this.#begun) this.#up(this.#begun);
  }

  formed(clip: Clip): void {
    if (this.#begun && clip.segment === this.#begun.segment) this.#up(this.#begun);
    this.#watched.formed(clip);
  }

  /** The clip is not scored. @param reason of the gap, where no other clip covers its time */
  lost(clip: Clip, reason: string): void {
    this.#watched.lost(clip, reason);
  }

  /** The clip has been taken and dealt with. */
  acknowledge(clip: Clip): void {
    this.#watched.watched(clip);
    this.#restate();
    if (this.#watched.untilMs !== undefined) this.#hooks.onWatched?.(this.#watched.untilMs);
  }

  reconnecting(reason: string): void {
    // The time before the program ran has a reason of its own.
    if (!this.#framesSeen && this.#whyDown === undefined)
      this.#watched.broke(this.#startedAtMs, this.#whyNotBefore);
    this.#whyDown = reason;
  }

  transition(state: StreamTransition['state'], reason: string, detail?: string): void {
    const text = detail === undefined ? {} : { detail };
    const level = state === 'stalled' || state === 'down' || state === 'faulty' ? 'warn' : 'info';
    this.#hooks.logger[level]({ ...this.#fields, state, reason, ...text }, `stream ${state}: ${reason}`);
    this.#lastTransition = { streamId: this.#streamId, state, atMs: Date.now(), reason, ...text };
    this.#hooks.onTransition(this.#lastTransition);
  }

  /** What is wrong with the frames from now on; undefined: nothing. */
  fault(fault: CameraFault | undefined): void {
    this.#fault = fault;
    // `up` comes first.
    if (this.#begun) return;
    if (fault) this.transition('faulty', fault);
    else this.transition('up', 'fault_over');
  }

  /** The source has ended: reports gaps that no further clip would report. */
  end(): void {
    this.#watched.end();
    this.#restate();
  }

  /** Logs what is still held back. */
  flush(): void {
    this.#unwatched.flush();
  }

  /** Gaps come before the `up` that ends them, so that the last record of a stream is its state. */
  #up(begun: Discontinuity): void {
    this.#begun = undefined;
    this.#watched.broke(begun.capturedAtMs, this.#gapReason(begun));
    this.#gapReported = false;
    this.#framesSeen = true;
    this.transition('up', UP_REASONS[begun.why]);
    // Another connection mends no lens.
    if (this.#fault) this.transition('faulty', this.#fault);
  }

  #gapReason({ why }: Discontinuity): string {
    if (why !== 'start') return UP_REASONS[why];
    return this.#whyDown ?? this.#whyNotBefore;
  }

  /** After gaps in the middle of a segment, the state is reported once more. */
  #restate(): void {
    if (!this.#gapReported) return;
    this.#gapReported = false;
    if (this.#lastTransition) this.#hooks.onTransition(this.#lastTransition);
  }
}
