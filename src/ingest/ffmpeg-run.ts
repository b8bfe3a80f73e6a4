import { once } from 'node:events';
import { Writable } from 'node:stream';

import { monotonicMs } from '../core/time.ts';
import { startFfmpeg, type FfmpegPlan } from './ffmpeg-command.ts';
import { createRawFrameSplitter } from './raw-frame-splitter.ts';
import { tellable } from './source-faults.ts';
import { createStderrReader } from './stderr-reader.ts';

export interface FfmpegRun {
  readonly plan: FfmpegPlan;
  readonly pictureBytes: number;
  /** No picture for so long (double before the first one) ends the run; undefined: wait for ever. */
  readonly noFrameTimeoutMs: number | undefined;
  onPts(ptsUs: number | undefined): void;
  onPicture(data: Uint8Array): void;
  /** A line of ffmpeg's stderr, redacted. */
  onMessage(line: string): void;
  onStall(): void;
  /** Back-pressure: while it is pending, ffmpeg's stdout is not read. */
  room(signal: AbortSignal): Promise<void>;
}

/** How ffmpeg ended. The child, its watcher and their pipes are gone by then. */
export interface FfmpegEnd {
  readonly cause: 'exited' | 'aborted' | 'stalled';
  readonly exitCode: number | null;
  readonly pictures: number;
  /** Time from the first to the last picture. */
  readonly healthyMs: number;
  /** Last messages, oldest first. */
  readonly messages: readonly string[];
}

/** ffmpeg may not notice SIGTERM while it is blocked on a pipe or a socket. */
const TERM_GRACE_MS = 300;
const KEPT_MESSAGES = 20;

/**
 * One life of ffmpeg. Runs until it exits, until the signal aborts (SIGTERM, then SIGKILL) or until no picture has come for too
 * long (SIGKILL: a stalled ffmpeg hears nothing else; exits 0 mean nothing either).
 */
export async function runFfmpeg(run: FfmpegRun, signal: AbortSignal): Promise<FfmpegEnd> {
  const splitter = createRawFrameSplitter(run.pictureBytes);
  const messages: string[] = [];
  let cause: FfmpegEnd['cause'] = 'exited';
  let pictures = 0;
  let firstAt = 0;
  let lastAt = 0;
  let waiting = false;
  let activeAt = monotonicMs();

  const accept = async (chunk: Uint8Array): Promise<void> => {
    if (cause !== 'exited') return;
    for (const picture of splitter.push(chunk)) {
      lastAt = activeAt = monotonicMs();
      if (pictures++ === 0) firstAt = lastAt;
      run.onPicture(picture);
    }
    waiting = true;
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
  const read = createStderrReader({
    onPts: (ptsUs) => {
      run.onPts(ptsUs);
    },
    onMessage: (line) => {
      const told = tellable(line, run.plan.address);
      messages.push(told);
      if (messages.length > KEPT_MESSAGES) messages.shift();
      // Before the first picture they tell why there is none: once, by the end of this run.
      if (pictures > 0) run.onMessage(told);
    },
  });

  const finished = once(pixels, 'finish');
  const child = await startFfmpeg(run.plan, pixels);
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
  const watchdog = watch(run.noFrameTimeoutMs, (allowedMs) => {
    const limit = pictures === 0 ? 2 * allowedMs : allowedMs;
    if (waiting || cause !== 'exited' || monotonicMs() - activeAt < limit) return;
    cause = 'stalled';
    run.onStall();
    child.kill('SIGKILL');
  });
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    await Promise.all([closed, finished]);
    if (splitter.pendingBytes > 0 && !signal.aborted) run.onMessage('the last picture is incomplete');
    return { cause, exitCode: child.exitCode, pictures, healthyMs: lastAt - firstAt, messages };
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(killTimer);
    clearInterval(watchdog);
    // Only where a consumer of pictures threw: the child must not outlive this call.
    if (child.kill('SIGKILL')) await closed;
  }
}

function watch(
  timeoutMs: number | undefined,
  check: (timeoutMs: number) => void,
): NodeJS.Timeout | undefined {
  if (timeoutMs === undefined) return undefined;
  return setInterval(check, Math.max(20, timeoutMs / 8), timeoutMs);
}
