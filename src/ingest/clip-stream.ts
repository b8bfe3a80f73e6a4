import { Subject } from 'rxjs';

import { ActionstreamError, toActionstreamError } from '../core/errors.ts';
import type { Clip, ClockSource, Frame, StreamTransition } from '../core/frame.ts';
import { createThrottledReporter, type ThrottledReporter } from '../core/throttled-reporter.ts';
import { monotonicMs } from '../core/time.ts';
import { createClipQueue, type ClipQueue } from './clip-queue.ts';
import { describeArguments } from './ffmpeg-command.ts';
import { ffmpegOfStream } from './ffmpeg-of-stream.ts';
import { runFfmpeg, type FfmpegEnd, type FfmpegRun } from './ffmpeg-run.ts';
import { createFrameAssembler, type Discontinuity, type FrameAssembler } from './frame-assembler.ts';
import { composeSourceAddress, type SourceAddress } from './source-address.ts';
import { createStreamCounters, type StreamTally } from './stream-counters.ts';
import { superviseStream } from './stream-supervisor.ts';
import type { ClipStream, StreamCounters, StreamHooks, StreamOptions } from './types.ts';
import { createWatchedTime, type WatchedTime } from './watched-time.ts';
import { windowClips } from './window-clips.ts';

const GAP_REPORT_MS = 10_000;
const INSECURE =
  'tls.insecure: the certificate of this source is NOT checked; anyone on the way can read its password and change its video';

/**
 * One camera or file as clips. Builds only: ffmpeg starts when `clips` is
 * iterated, once in the life of the object.
 *
 *     ffmpeg ─ raw frames + pts ─ frames on the grid ─ windowClips ─ [queue of queueClips] ─ clips()
 *
 * @throws CONFIG_INVALID where URL, user and password make no usable address
 */
export function createClipStream(options: StreamOptions, hooks: StreamHooks): ClipStream {
  return new SourceClips(options, hooks);
}

class SourceClips implements ClipStream {
  readonly streamId: string;
  readonly clockSource: ClockSource;
  readonly #options: StreamOptions;
  readonly #hooks: StreamHooks;
  readonly #address: SourceAddress;
  readonly #fields: object;
  readonly #tally: StreamTally = createStreamCounters();
  readonly #queue: ClipQueue;
  readonly #watched: WatchedTime;
  readonly #complaints: ThrottledReporter;
  readonly #unwatched: ThrottledReporter;
  #started = false;
  #startedAtMs = 0;
  #framesSeen = false;
  /** Why the next segment does not follow on the last: the fault behind the last disconnect. */
  #whyDown: string | undefined;
  #lastTransition: StreamTransition | undefined;
  #gapReported = false;
  /** A segment that has begun, until clips of the one before it are complete. */
  #begun: Discontinuity | undefined;
  #arrivalTimes = false;

  constructor(options: StreamOptions, hooks: StreamHooks) {
    const { streamId, kind, window, watchedUntilMs } = options;
    this.streamId = streamId;
    this.clockSource = kind === 'live' ? 'wallclock' : 'media';
    this.#options = options;
    this.#hooks = hooks;
    this.#address = composeSourceAddress(options);
    this.#fields = { stream_id: streamId, source: this.#address.display };
    const { logger } = hooks;
    this.#complaints = createThrottledReporter(logger, { message: 'ffmpeg complains', fields: this.#fields });
    this.#unwatched = createThrottledReporter(logger, {
      ...{ message: 'clips were dropped, and no other covers their time', fields: this.#fields },
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
    this.#queue = createClipQueue(options.queueClips, options.policy, (clip) => {
      this.#tally.count('clipsDropped', 'freshest');
      this.#watched.lost(clip, 'freshest');
    });
  }

  get counters(): StreamCounters {
    return this.#tally.read();
  }

  get queue(): { readonly length: number; readonly capacity: number } {
    return { length: this.#queue.length, capacity: this.#options.queueClips };
  }

  giveUp(clip: Clip, reason: string): void {
    this.#watched.lost(clip, reason);
  }

  async *clips(signal: AbortSignal): AsyncGenerator<Clip, void, undefined> {
    if (this.#started)
      throw new ActionstreamError('INTERNAL', `clips of ${this.streamId} can be iterated only once`);
    this.#started = true;
    this.#startedAtMs = Date.now();
    const owner = new AbortController();
    const stop = AbortSignal.any([signal, owner.signal]);
    const producing = this.#produce(stop).then(
      () => {
        this.#queue.close();
      },
      (error: unknown) => {
        this.#queue.close(toActionstreamError(error));
      },
    );
    try {
      for (;;) {
        const clip = await this.#next(stop);
        if (!clip) return;
        yield clip;
        this.#acknowledge(clip);
      }
    } finally {
      owner.abort();
      await producing;
      this.#unwatched.flush();
    }
  }

  /** The next clip; at the end of the source, gaps that no further clip would tell. */
  async #next(stop: AbortSignal): Promise<Clip | undefined> {
    let clip: Clip | undefined;
    try {
      clip = await this.#queue.take(stop);
      return clip;
    } finally {
      if (!clip && !stop.aborted) this.#tellRest();
    }
  }

  async #produce(signal: AbortSignal): Promise<void> {
    const frames = new Subject<Frame>();
    frames.pipe(windowClips(this.#options.window)).subscribe((clip) => {
      if (clip.segment === this.#begun?.segment) this.#tellBegun();
      this.#tally.clipFormed();
      this.#watched.formed(clip);
      this.#queue.push(clip);
    });
    const assembler = this.#createAssembler(frames);
    try {
      await superviseStream(
        this.#options,
        this.#address,
        {
          run: (until) => this.#runFfmpeg(assembler, until),
          transition: (state, reason, detail) => {
            this.#transition(state, reason, detail);
          },
          reconnecting: ({ reason }) => {
            // The time before the program ran has a reason of its own.
            if (!this.#framesSeen && this.#whyDown === undefined)
              this.#watched.broke(this.#startedAtMs, 'not_running');
            this.#whyDown = reason;
            this.#tally.count('reconnects', reason);
          },
        },
        signal,
      );
    } finally {
      this.#complaints.flush();
      frames.complete();
    }
  }

  #createAssembler(frames: Subject<Frame>): FrameAssembler {
    const { window, startTimeMs = 0, policy } = this.#options;
    const timing = { fps: window.fps, startTimeMs, now: Date.now, monotonic: monotonicMs };
    return createFrameAssembler(
      { ...this.#options, ...timing, steer: policy === 'freshest' },
      {
        onFrame: (frame) => {
          frames.next(frame);
          if (this.#begun) this.#tellBegun();
        },
        onDiscontinuity: (discontinuity) => {
          this.#begun = discontinuity;
        },
        onLate: () => {
          this.#tally.count('framesDropped', 'late');
        },
        onClockFault: (fault, detail) => {
          this.#tellClockFault(fault, detail);
        },
      },
    );
  }

  /** One life of ffmpeg; a second one at once where the first showed that the source sends no times. */
  async #runFfmpeg(assembler: FrameAssembler, until: AbortSignal): Promise<FfmpegEnd> {
    assembler.restart();
    const run = this.#ffmpegRun(assembler, until);
    if (this.#address.secure?.trust.insecure) this.#hooks.logger.warn(this.#fields, INSECURE);
    const fields = { ...this.#fields, arguments: describeArguments(run.plan) };
    this.#hooks.logger.debug(fields, 'starting ffmpeg');
    const end = await runFfmpeg(run, until);
    return end.cause === 'refused' ? this.#runFfmpeg(assembler, until) : end;
  }

  #ffmpegRun(assembler: FrameAssembler, until: AbortSignal): FfmpegRun {
    return {
      ...ffmpegOfStream(this.#options, this.#address, { arrivalTimes: this.#arrivalTimes }),
      onPts: (ptsUs) => assembler.pts(ptsUs),
      onRawFrame: (data) => {
        this.#tally.frameDecoded();
        return assembler.rawFrame(data);
      },
      onInput: ({ codec }) => !this.#lacksTimes(codec),
      onMessage: (line) => {
        // What it says while we end it is about the ending.
        if (!until.aborted) this.#complaints.note(line);
      },
      onStall: () => {
        this.#transition('stalled', 'no_frames');
      },
      room: (signal) => this.#queue.room(signal),
    };
  }

  /** MJPEG over HTTP is a row of frames without times; ffmpeg invents 25 a second. */
  #lacksTimes(codec: string | undefined): boolean {
    const { url } = this.#address;
    const lacks = codec === 'mjpeg' && this.#options.kind === 'live' && /^https?:/.test(url);
    if (!lacks || this.#arrivalTimes) return false;
    this.#arrivalTimes = true;
    this.#tellClockFault('no_times', 'MJPEG over HTTP carries no times: the arrival of frames stands in');
    return true;
  }

  #tellClockFault(fault: string, detail: string): void {
    this.#tally.count('clockFaults', fault);
    this.#hooks.logger.warn({ ...this.#fields, fault, detail }, 'clock of the source or of the machine');
  }

  /** Gaps come before the `up` that ends them, so that the last record of a stream is its state. */
  #tellBegun(): void {
    const begun = this.#begun;
    if (!begun) return;
    this.#begun = undefined;
    this.#watched.broke(begun.capturedAtMs, this.#gapReason(begun));
    this.#gapReported = false;
    this.#framesSeen = true;
    this.#transition('up', UP_REASONS[begun.why]);
  }

  #gapReason({ why }: Discontinuity): string {
    if (why !== 'start') return UP_REASONS[why];
    return this.#whyDown ?? 'not_running';
  }

  #acknowledge(clip: Clip): void {
    this.#watched.watched(clip);
    this.#restate();
    if (this.#watched.untilMs !== undefined) this.#hooks.onWatched?.(this.#watched.untilMs);
  }

  #tellRest(): void {
    this.#watched.end();
    this.#restate();
  }

  /**
   * After gaps in the middle of a segment, the state is reported once more: what a
   * compacted topic keeps is the state.
   */
  #restate(): void {
    if (!this.#gapReported) return;
    this.#gapReported = false;
    if (this.#lastTransition) this.#hooks.onTransition(this.#lastTransition);
  }

  #transition(state: StreamTransition['state'], reason: string, detail?: string): void {
    const text = detail === undefined ? {} : { detail };
    const level = state === 'stalled' || state === 'down' ? 'warn' : 'info';
    this.#hooks.logger[level]({ ...this.#fields, state, reason, ...text }, `stream ${state}: ${reason}`);
    this.#lastTransition = { streamId: this.streamId, state, atMs: Date.now(), reason, ...text };
    this.#hooks.onTransition(this.#lastTransition);
  }
}

const UP_REASONS = {
  start: 'first_frame',
  hole: 'pts_jump',
  step_back: 'pts_jump',
  clock_set: 'clock_set',
} as const satisfies Record<Discontinuity['why'], string>;
