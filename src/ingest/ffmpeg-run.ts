import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

import { monotonicMs } from '../core/time.ts';
import { startFfmpeg, type FfmpegPlan } from './ffmpeg-command.ts';
import { createRawFrameSplitter, type RawFrameSplitter } from './raw-frame-splitter.ts';
import type { SourceAddress } from './source-address.ts';
import { redacted } from './source-faults.ts';
import { createStderrReader, type InputDescription, type WrittenSegment } from './stderr-reader.ts';
import { openTlsRelay } from './tls/relay.ts';

export interface FfmpegRun {
  readonly plan: FfmpegPlan;
  readonly frameBytes: number;
  readonly limits: FrameLimits | undefined;
  /** False: times without frames pile up, so that the two no longer belong together. */
  onPts(ptsUs: number | undefined): boolean;
  /** False: frames without times pile up. */
  onRawFrame(data: Uint8Array): boolean;
  /** What ffmpeg says of its input. False: this run is of no use and ends (`refused`). */
  onInput(described: InputDescription): boolean;
  /** A piece of the kept video is complete. */
  onSegment?(written: WrittenSegment): void;
  /** A line of ffmpeg's stderr, redacted. */
  onMessage(line: string): void;
  onStall(): void;
  /** Back-pressure: while it is pending, ffmpeg's stdout is not read. */
  room(signal: AbortSignal): Promise<void>;
}

/** How long a run may give no frame; absent for what waits for ever. */
export interface FrameLimits {
  /** From the start of ffmpeg to the first frame; infinite where we wait for a sender. */
  readonly firstMs: number;
  /** From frame to frame. */
  readonly nextMs: number;
}

/** How ffmpeg ended. The child, its watcher and their pipes are gone by then. */
export interface FfmpegEnd {
  readonly cause: 'exited' | 'aborted' | 'stalled' | 'unpaired' | 'refused';
  readonly exitCode: number | null;
  readonly rawFrames: number;
  /** Time from the first to the last frame. */
  readonly healthyMs: number;
  /** Media time from the first to the last frame, and the length that the container declares. */
  readonly readMs: number;
  readonly declaredMs?: number;
  /** The times of the source stepped back on the way. */
  readonly steppedBack: boolean;
  /** Demuxer of the input, as ffmpeg calls it. */
  readonly format?: string;
  /** Last messages, oldest first. */
  readonly messages: readonly string[];
  /** The last long row of messages and warnings without a frame in between. */
  readonly complaints: Complaints;
}

export interface Complaints {
  readonly count: number;
  readonly last: string;
  /** Media time of the frames after it: those that the decoder still held. */
  readonly readMsAfter: number;
}

/** ffmpeg may not notice SIGTERM while it is blocked on a pipe or a socket. */
const TERM_GRACE_MS = 300;
const KEPT_MESSAGES = 20;
/** Frames out of order step back by less. */
const CLOCK_SET_US = 500_000;
const LONG_ROW = 20;
const LONGEST_CHECK_MS = 1000;

/**
 * One life of ffmpeg. Runs until it exits, until the signal aborts (SIGTERM, then SIGKILL) or until no
 * frame has come for too long (SIGKILL: a stalled ffmpeg hears nothing else; exits 0 mean nothing either).
 */
export async function runFfmpeg(run: FfmpegRun, signal: AbortSignal): Promise<FfmpegEnd> {
  return new FfmpegLife(run, signal).live();
}

/**
 * It runs while its cause is `exited`. Another cause comes at most once, and with it a signal to the child:
 * from then on frames are let go. The end is told when child, watcher and pipes are gone.
 */
class FfmpegLife {
  readonly #run: FfmpegRun;
  readonly #signal: AbortSignal;
  readonly #splitter: RawFrameSplitter;
  readonly #media = createMediaSpan();
  readonly #complaints = createComplaintRow(this.#media);
  readonly #messages: string[] = [];
  /** What ffmpeg reads from: the source, or the relay that stands for it. */
  #address: SourceAddress;
  #input: InputDescription = {};
  #cause: FfmpegEnd['cause'] = 'exited';
  #child: ChildProcess | undefined;
  #killTimer: NodeJS.Timeout | undefined;
  #rawFrames = 0;
  #times = 0;
  #firstAt = 0;
  #lastAt = 0;
  #isWaitingForRoom = false;
  #activeAt = monotonicMs();

  constructor(run: FfmpegRun, signal: AbortSignal) {
    this.#run = run;
    this.#signal = signal;
    this.#address = run.plan.address;
    this.#splitter = createRawFrameSplitter(run.frameBytes);
  }

  async live(): Promise<FfmpegEnd> {
    const { plan, limits } = this.#run;
    await using relay = await openTlsRelay(plan.address, this.#hear);
    this.#address = relay.address;
    const pixels = this.#openPixels();
    const finished = once(pixels, 'finish');
    const { child, watcherGone } = await startFfmpeg({ ...plan, address: relay.address }, pixels);
    this.#child = child;
    this.#readMessages(child);
    const closed = once(child, 'close');
    const watchdog = watch(limits, this.#checkForStall);
    this.#signal.addEventListener('abort', this.#stop, { once: true });
    if (this.#signal.aborted) this.#stop();
    try {
      await Promise.all([closed, finished, watcherGone]);
      return this.#told(child.exitCode);
    } finally {
      this.#signal.removeEventListener('abort', this.#stop);
      clearTimeout(this.#killTimer);
      clearInterval(watchdog);
      // Only where a consumer of frames threw: the child must not outlive this call.
      if (child.kill('SIGKILL')) await closed;
      await watcherGone;
    }
  }

  /** Where ffmpeg writes raw frames. */
  #openPixels(): Writable {
    return new Writable({
      // The library takes a closed output for a failure and kills ffmpeg: this one ends without closing.
      autoDestroy: false,
      emitClose: false,
      write: (chunk: Uint8Array, _, done) => {
        this.#accept(chunk).then(() => {
          done();
        }, done);
      },
    });
  }

  async #accept(chunk: Uint8Array): Promise<void> {
    for (const rawFrame of this.#splitter.push(chunk)) {
      if (this.#cause !== 'exited') return;
      this.#lastAt = this.#activeAt = monotonicMs();
      if (this.#rawFrames++ === 0) this.#firstAt = this.#lastAt;
      if (!this.#run.onRawFrame(rawFrame)) this.#give('unpaired');
    }
    this.#isWaitingForRoom = true;
    // ffmpeg writes the time before the frame: it is in the other pipe by now,
    // and without it the frame fills no queue.
    if (this.#times < this.#rawFrames) await setImmediate();
    await this.#run.room(this.#signal);
    this.#isWaitingForRoom = false;
    this.#activeAt = monotonicMs();
  }

  #readMessages(child: ChildProcess): void {
    const read = createStderrReader({
      onPts: (ptsUs) => {
        this.#times += 1;
        this.#complaints.frame();
        this.#media.note(ptsUs);
        if (!this.#run.onPts(ptsUs)) this.#give('unpaired');
        // The muxer would squeeze all that comes until the clock is where it was: another run keeps the rest.
        if (this.#run.plan.ringDir !== undefined && this.#media.steppedBackUs > CLOCK_SET_US)
          this.#give('refused');
      },
      onSegment: (written) => {
        this.#run.onSegment?.(written);
      },
      onInput: (described) => {
        this.#input = { ...this.#input, ...described };
        if (!this.#run.onInput(described)) this.#give('refused');
      },
      onMessage: this.#hear,
      onWarning: (line) => {
        this.#complaints.note(redacted(line, this.#address));
      },
    });
    child.stderr?.on('data', (text: Buffer | string) => {
      read(text.toString());
    });
  }

  readonly #hear = (line: string): void => {
    const shown = redacted(line, this.#address);
    this.#messages.push(shown);
    this.#complaints.note(shown);
    if (this.#messages.length > KEPT_MESSAGES) this.#messages.shift();
    // Before the first frame they tell why there is none: once, by the end of this run.
    if (this.#rawFrames > 0) this.#run.onMessage(shown);
  };

  /** The first cause holds. */
  #give(cause: FfmpegEnd['cause']): void {
    if (this.#cause !== 'exited') return;
    this.#cause = cause;
    this.#child?.kill('SIGKILL');
  }

  readonly #stop = (): void => {
    if (this.#cause === 'exited') this.#cause = 'aborted';
    this.#child?.kill('SIGTERM');
    this.#killTimer = setTimeout(() => this.#child?.kill('SIGKILL'), TERM_GRACE_MS);
  };

  readonly #checkForStall = ({ firstMs, nextMs }: FrameLimits): void => {
    const limit = this.#rawFrames === 0 ? firstMs : nextMs;
    if (this.#isWaitingForRoom || this.#cause !== 'exited') return;
    if (monotonicMs() - this.#activeAt < limit) return;
    this.#run.onStall();
    this.#give('stalled');
  };

  #told(exitCode: number | null): FfmpegEnd {
    const cause = this.#cause;
    const { format, declaredMs } = this.#input;
    if (this.#splitter.pendingBytes > 0 && cause === 'exited')
      this.#run.onMessage('the last frame is incomplete');
    return {
      ...{ cause, exitCode, rawFrames: this.#rawFrames, healthyMs: this.#lastAt - this.#firstAt },
      ...{ messages: this.#messages, complaints: this.#complaints.read(), readMs: this.#media.ms },
      steppedBack: this.#media.steppedBackUs > 0,
      ...(format !== undefined && { format }),
      ...(declaredMs !== undefined && { declaredMs }),
    };
  }
}

function watch(
  limits: FrameLimits | undefined,
  check: (limits: FrameLimits) => void,
): NodeJS.Timeout | undefined {
  if (limits === undefined) return undefined;
  const shortest = Math.min(limits.firstMs, limits.nextMs);
  return setInterval(check, Math.max(20, Math.min(LONGEST_CHECK_MS, shortest / 8)), limits);
}

/** Media time that frames have covered; a clock that steps back goes on where it was. */
function createMediaSpan(): {
  note(ptsUs: number | undefined): void;
  readonly ms: number;
  /** The largest step back. */
  readonly steppedBackUs: number;
} {
  let spanUs = 0;
  let steppedBackUs = 0;
  let lastUs: number | undefined;
  return {
    note(ptsUs) {
      if (ptsUs !== undefined && lastUs !== undefined) {
        spanUs += Math.max(0, ptsUs - lastUs);
        steppedBackUs = Math.max(steppedBackUs, lastUs - ptsUs);
      }
      lastUs = ptsUs ?? lastUs;
    },
    get ms() {
      return spanUs / 1000;
    },
    get steppedBackUs() {
      return steppedBackUs;
    },
  };
}

/**
 * Follows complaints between frames; a decoder hands out the frames that it
 * holds after it has complained of all the rest.
 */
function createComplaintRow(media: { readonly ms: number }) {
  let row = { count: 0, last: '' };
  let longest = { ...row, endedAtMs: 0 };
  const close = (): void => {
    if (row.count >= LONG_ROW) longest = { ...row, endedAtMs: media.ms };
    row = { count: 0, last: '' };
  };
  return {
    note(line: string): void {
      row = { count: row.count + 1, last: line };
    },
    frame: close,
    read(): Complaints {
      close();
      const { count, last, endedAtMs } = longest;
      return { count, last, readMsAfter: media.ms - endedAtMs };
    },
  };
}
