import { once } from 'node:events';
import { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

import { monotonicMs } from '../core/time.ts';
import { startFfmpeg, type FfmpegPlan } from './ffmpeg-command.ts';
import { createRawFrameSplitter } from './raw-frame-splitter.ts';
import { redacted } from './source-faults.ts';
import { createStderrReader, type InputDescription } from './stderr-reader.ts';
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
const LONG_ROW = 20;
const LONGEST_CHECK_MS = 1000;

/**
 * One life of ffmpeg. Runs until it exits, until the signal aborts (SIGTERM, then SIGKILL) or until no
 * frame has come for too long (SIGKILL: a stalled ffmpeg hears nothing else; exits 0 mean nothing either).
 */
export async function runFfmpeg(run: FfmpegRun, signal: AbortSignal): Promise<FfmpegEnd> {
  const splitter = createRawFrameSplitter(run.frameBytes);
  const media = createMediaSpan();
  const messages: string[] = [];
  const complaints = createComplaintRow(media);
  let declaredMs: number | undefined;
  let format: string | undefined;
  let cause = 'exited' as FfmpegEnd['cause'];
  let rawFrames = 0;
  let times = 0;
  let firstAt = 0;
  let lastAt = 0;
  let waiting = false;
  let activeAt = monotonicMs();
  let kill = (): void => undefined;
  const give = (why: FfmpegEnd['cause']): void => {
    if (cause !== 'exited') return;
    cause = why;
    kill();
  };

  const accept = async (chunk: Uint8Array): Promise<void> => {
    for (const rawFrame of splitter.push(chunk)) {
      if (cause !== 'exited') return;
      lastAt = activeAt = monotonicMs();
      if (rawFrames++ === 0) firstAt = lastAt;
      if (!run.onRawFrame(rawFrame)) give('unpaired');
    }
    waiting = true;
    // ffmpeg writes the time before the frame: it is in the other pipe by now,
    // and without it the frame fills no queue.
    if (times < rawFrames) await setImmediate();
    await run.room(signal);
    waiting = false;
    activeAt = monotonicMs();
  };
  const pixels = new Writable({
    // The library takes a closed output for a failure and kills ffmpeg: this one ends without closing.
    autoDestroy: false,
    emitClose: false,
    write(chunk: Uint8Array, _, done) {
      accept(chunk).then(() => {
        done();
      }, done);
    },
  });
  const hear = (line: string): void => {
    const shown = redacted(line, relay.address);
    messages.push(shown);
    complaints.note(shown);
    if (messages.length > KEPT_MESSAGES) messages.shift();
    // Before the first frame they tell why there is none: once, by the end of this run.
    if (rawFrames > 0) run.onMessage(shown);
  };
  await using relay = await openTlsRelay(run.plan.address, hear);
  const read = createStderrReader({
    onPts: (ptsUs) => {
      times += 1;
      complaints.frame();
      media.note(ptsUs);
      if (!run.onPts(ptsUs)) give('unpaired');
    },
    onInput: (described) => {
      declaredMs = described.declaredMs ?? declaredMs;
      format = described.format ?? format;
      if (!run.onInput(described)) give('refused');
    },
    onMessage: hear,
    onWarning: (line) => {
      complaints.note(redacted(line, relay.address));
    },
  });

  const finished = once(pixels, 'finish');
  const { child, watcherGone } = await startFfmpeg({ ...run.plan, address: relay.address }, pixels);
  kill = () => void child.kill('SIGKILL');
  child.stderr?.on('data', (text: Buffer | string) => {
    read(text.toString());
  });
  const closed = once(child, 'close');

  let killTimer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (cause === 'exited') cause = 'aborted';
    child.kill('SIGTERM');
    killTimer = setTimeout(() => child.kill('SIGKILL'), TERM_GRACE_MS);
  };
  const watchdog = watch(run.limits, ({ firstMs, nextMs }) => {
    const limit = rawFrames === 0 ? firstMs : nextMs;
    if (waiting || cause !== 'exited' || monotonicMs() - activeAt < limit) return;
    run.onStall();
    give('stalled');
  });
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    await Promise.all([closed, finished, watcherGone]);
    if (splitter.pendingBytes > 0 && cause === 'exited') run.onMessage('the last frame is incomplete');
    return {
      ...{ cause, exitCode: child.exitCode, rawFrames, healthyMs: lastAt - firstAt },
      ...{ messages, complaints: complaints.read(), readMs: media.ms },
      steppedBack: media.steppedBack,
      ...(format !== undefined && { format }),
      ...(declaredMs !== undefined && { declaredMs }),
    };
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(killTimer);
    clearInterval(watchdog);
    // Only where a consumer of frames threw: the child must not outlive this call.
    if (child.kill('SIGKILL')) await closed;
    await watcherGone;
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
  readonly steppedBack: boolean;
} {
  let spanUs = 0;
  let steppedBack = false;
  let lastUs: number | undefined;
  return {
    note(ptsUs) {
      if (ptsUs !== undefined && lastUs !== undefined) {
        spanUs += Math.max(0, ptsUs - lastUs);
        steppedBack ||= ptsUs < lastUs;
      }
      lastUs = ptsUs ?? lastUs;
    },
    get ms() {
      return spanUs / 1000;
    },
    get steppedBack() {
      return steppedBack;
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
