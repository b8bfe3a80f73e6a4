import { Subject } from 'rxjs';

import { ActionstreamError, toActionstreamError } from '../core/errors.ts';
import type { Clip, ClockSource, Frame } from '../core/frame.ts';
import type { Region } from '../core/region.ts';
import { createThrottledReporter, type ThrottledReporter } from '../core/throttled-reporter.ts';
import { monotonicMs } from '../core/time.ts';
import { createBlanks, type BlankFrame } from './blank-areas.ts';
import { createClipQueue, type ClipQueue } from './clip-queue.ts';
import { createConnectionNotes, type ConnectionNotes } from './connection-notes.ts';
import { describeArguments } from './ffmpeg-command.ts';
import { ffmpegOfStream } from './ffmpeg-of-stream.ts';
import { runFfmpeg, type FfmpegEnd, type FfmpegRun } from './ffmpeg-run.ts';
import { createFrameAssembler, type FrameAssembler } from './frame-assembler.ts';
import { viewOf } from './frame-view.ts';
import { composeSourceAddress, type SourceAddress } from './source-address.ts';
import { videoSegment } from './kept-video.ts';
import { createStreamCounters, type StreamTally } from './stream-counters.ts';
import { StreamReports } from './stream-reports.ts';
import { FaultWatch } from './fault-watch.ts';
import { superviseStream } from './stream-supervisor.ts';
import type { ClipStream, StreamCounters, StreamHooks, StreamOptions } from './types.ts';
import { createStillFrames } from './still-frames.ts';
import { windowClips } from './window-clips.ts';

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

/**
 * A source in one of these states:
 *
 * - **built**: nothing runs.
 * - **iterated**: `clips` runs the supervisor, which runs one ffmpeg after the other. Frames become clips and
 *   wait in the queue. A second iteration is refused.
 * - **ended**: the source has ended, failed or been aborted. ffmpeg is gone, and the reports are complete.
 */
class SourceClips implements ClipStream {
  readonly streamId: string;
  readonly clockSource: ClockSource;
  readonly #options: StreamOptions;
  readonly #hooks: StreamHooks;
  readonly #address: SourceAddress;
  readonly #fields: object;
  readonly #tally: StreamTally = createStreamCounters();
  readonly #queue: ClipQueue;
  readonly #reports: StreamReports;
  readonly #complaints: ThrottledReporter;
  #view: Region;
  #blank: BlankFrame;
  #started = false;
  #arrivalTimes = false;
  #codec: string | undefined;

  constructor(options: StreamOptions, hooks: StreamHooks) {
    const { streamId, kind } = options;
    this.streamId = streamId;
    this.clockSource = kind === 'live' ? 'wallclock' : 'media';
    this.#options = options;
    this.#hooks = hooks;
    this.#address = composeSourceAddress(options);
    this.#view = viewOf(options);
    this.#blank = createBlanks(options, options, this.#view);
    this.#fields = { stream_id: streamId, source: this.#address.display };
    this.#complaints = createThrottledReporter(hooks.logger, {
      message: 'ffmpeg complains',
      fields: this.#fields,
    });
    this.#reports = new StreamReports(options, hooks, this.#fields);
    this.#queue = createClipQueue(options.queueClips, options.policy, (clip) => {
      this.#tally.count('clipsDropped', 'freshest');
      this.#reports.lost(clip, 'freshest');
    });
  }

  get counters(): StreamCounters {
    return this.#tally.read();
  }

  get queue(): { readonly length: number; readonly capacity: number } {
    return { length: this.#queue.length, capacity: this.#options.queueClips };
  }

  get view(): Region {
    return this.#view;
  }

  giveUp(clip: Clip, reason: string): void {
    this.#reports.lost(clip, reason);
  }

  async *clips(signal: AbortSignal): AsyncGenerator<Clip, void, undefined> {
    if (this.#started)
      throw new ActionstreamError('INTERNAL', `clips of ${this.streamId} can be iterated only once`);
    this.#started = true;
    this.#reports.start();
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
        this.#reports.acknowledge(clip);
      }
    } finally {
      owner.abort();
      await producing;
      this.#reports.flush();
    }
  }

  /** The next clip; at the end of the source, gaps that no further clip would report. */
  async #next(stop: AbortSignal): Promise<Clip | undefined> {
    let clip: Clip | undefined;
    try {
      clip = await this.#queue.take(stop);
      return clip;
    } finally {
      if (!clip && !stop.aborted) this.#reports.end();
    }
  }

  async #produce(signal: AbortSignal): Promise<void> {
    const frames = new Subject<Frame>();
    frames.pipe(windowClips(this.#options.window)).subscribe((clip) => {
      this.#reports.formed(clip);
      this.#tally.clipFormed();
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
            this.#reports.transition(state, reason, detail);
          },
          reconnecting: ({ reason }) => {
            this.#reports.reconnecting(reason);
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
    const { window, startTimeMs = 0, policy, faults } = this.#options;
    const stillFrames = createStillFrames();
    const watch =
      faults &&
      new FaultWatch(faults, (fault) => {
        this.#reports.fault(fault);
      });
    const timing = { fps: window.fps, startTimeMs, now: Date.now, monotonic: monotonicMs };
    const assembler = createFrameAssembler(
      { ...this.#options, ...timing, steer: policy === 'freshest' },
      {
        onFrame: (frame) => {
          watch?.look(frame, (frame.index * 1000) / window.fps);
          this.#blank(frame.data);
          frames.next(stillFrames.follow(frame));
          this.#reports.framed();
        },
        onDiscontinuity: (discontinuity) => {
          this.#reports.begin(discontinuity);
          this.#noteFileTime(assembler);
        },
        onLate: () => {
          this.#tally.count('framesDropped', 'late');
        },
        onClockFault: (fault, detail) => {
          this.#clockFault(fault, detail);
        },
      },
    );
    return assembler;
  }

  #noteFileTime({ origin: { sourceUs, capturedAtMs } }: FrameAssembler): void {
    const { path } = this.#address;
    if (this.#options.kind !== 'file' || path === undefined) return;
    this.#hooks.onFileTime?.({ path, codec: this.#codec ?? 'unknown', fromMs: capturedAtMs, sourceUs });
  }

  /**
   * One life of ffmpeg; another one at once where the first showed that the source sends no times, or that
   * its clock was set back while video is kept.
   */
  async #runFfmpeg(assembler: FrameAssembler, until: AbortSignal): Promise<FfmpegEnd> {
    for (;;) {
      const end = await this.#runOnce(assembler, until);
      if (end.cause !== 'refused') return end;
    }
  }

  async #runOnce(assembler: FrameAssembler, until: AbortSignal): Promise<FfmpegEnd> {
    assembler.restart();
    this.#codec = undefined;
    const notes = createConnectionNotes({ kind: this.#options.kind, now: monotonicMs }, (note) => {
      this.#hooks.logger.warn({ ...this.#fields, note }, 'the source is unusual');
    });
    const run = this.#ffmpegRun(assembler, notes, until);
    if (this.#address.secure?.trust.insecure) this.#hooks.logger.warn(this.#fields, INSECURE);
    const fields = { ...this.#fields, arguments: describeArguments(run.plan) };
    this.#hooks.logger.debug(fields, 'starting ffmpeg');
    const end = await runFfmpeg(run, until);
    if (end.cause === 'exited') notes.end();
    return end;
  }

  #ffmpegRun(assembler: FrameAssembler, notes: ConnectionNotes, until: AbortSignal): FfmpegRun {
    return {
      ...ffmpegOfStream(this.#options, this.#address, { arrivalTimes: this.#arrivalTimes }),
      onPts: (ptsUs) => assembler.pts(ptsUs),
      onRawFrame: (data) => {
        this.#tally.frameDecoded();
        notes.frame();
        return assembler.rawFrame(data);
      },
      onInput: (described) => {
        notes.input(described);
        // The first one named is that of the input; those of outputs follow.
        this.#codec ??= described.codec;
        if (described.shape !== undefined) this.#see(described.shape);
        return !this.#lacksTimes(described.codec);
      },
      onSegment: (written) => {
        const { ringDir = '' } = this.#options;
        this.#hooks.onSegment?.(
          videoSegment(written, { ringDir, codec: this.#codec, newest: assembler.newest }),
        );
      },
      onMessage: (line) => {
        // What it says while we end it is about the ending.
        if (!until.aborted) this.#complaints.note(line);
      },
      onStall: () => {
        this.#reports.transition('stalled', 'no_frames');
      },
      room: (signal) => this.#queue.room(signal),
    };
  }

  /** Comes before the first frame. */
  #see(shape: number): void {
    this.#view = viewOf(this.#options, shape);
    this.#blank = createBlanks(this.#options, this.#options, this.#view);
  }

  /** MJPEG over HTTP is a row of frames without times; ffmpeg invents 25 a second. */
  #lacksTimes(codec: string | undefined): boolean {
    const { url } = this.#address;
    const lacks = codec === 'mjpeg' && this.#options.kind === 'live' && /^https?:/.test(url);
    if (!lacks || this.#arrivalTimes) return false;
    this.#arrivalTimes = true;
    this.#clockFault('no_times', 'MJPEG over HTTP carries no times: the arrival of frames stands in');
    return true;
  }

  #clockFault(fault: string, detail: string): void {
    this.#tally.count('clockFaults', fault);
    this.#hooks.logger.warn({ ...this.#fields, fault, detail }, 'clock of the source or of the machine');
  }
}
