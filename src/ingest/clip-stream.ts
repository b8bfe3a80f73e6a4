import { Subject } from 'rxjs';

import { ActionstreamError, toActionstreamError } from '../core/errors.ts';
import type { Clip, ClockSource, Frame, StreamTransition } from '../core/frame.ts';
import { createClipQueue } from './clip-queue.ts';
import { describeArguments } from './ffmpeg-command.ts';
import { runFfmpeg } from './ffmpeg-run.ts';
import { createFrameAssembler, type Discontinuity } from './frame-assembler.ts';
import { samplingFilter } from './sampling-filter.ts';
import { composeSourceAddress } from './source-address.ts';
import { superviseStream } from './stream-supervisor.ts';
import { createStreamCounters } from './stream-counters.ts';
import { createThrottledReporter } from '../core/throttled-reporter.ts';
import type { ClipStream, StreamHooks, StreamOptions } from './types.ts';
import { windowClips } from './window-clips.ts';

/**
 * One camera or file as clips. Builds only: ffmpeg starts when `clips` is iterated, once in the life of the object.
 *
 *     ffmpeg ─ pictures + pts ─ frames on the grid ─ windowClips ─ [queue of queueClips] ─ clips()
 *
 * @throws CONFIG_INVALID where URL, user and password make no usable address
 */
export function createClipStream(options: StreamOptions, hooks: StreamHooks): ClipStream {
  const { streamId, kind, window } = options;
  const address = composeSourceAddress(options);
  const counters = createStreamCounters();
  const clockSource: ClockSource = kind === 'live' ? 'wallclock' : 'media';
  const fields = { stream_id: streamId, source: address.display };
  const complaints = createThrottledReporter(hooks.logger, { message: 'ffmpeg complains', fields });
  const queue = createClipQueue(options.queueClips, options.policy, () => {
    counters.count('clipsDropped', 'freshest');
  });
  let started = false;

  return {
    streamId,
    clockSource,
    get counters() {
      return counters.read();
    },
    get queue() {
      return { length: queue.length, capacity: options.queueClips };
    },
    clips,
  };

  async function* clips(signal: AbortSignal): AsyncGenerator<Clip, void, undefined> {
    if (started) throw new ActionstreamError('INTERNAL', `clips of ${streamId} can be iterated only once`);
    started = true;
    const owner = new AbortController();
    const stop = AbortSignal.any([signal, owner.signal]);
    const producing = produce(stop).then(
      () => {
        queue.close();
      },
      (error: unknown) => {
        queue.close(toActionstreamError(error));
      },
    );
    try {
      for (;;) {
        const clip = await queue.take(stop);
        if (!clip) return;
        yield clip;
      }
    } finally {
      owner.abort();
      await producing;
    }
  }

  async function produce(signal: AbortSignal): Promise<void> {
    const frames = new Subject<Frame>();
    frames.pipe(windowClips(window)).subscribe((clip) => {
      counters.clipFormed();
      queue.push(clip);
    });
    let whyDown = 'start';
    const assembler = createFrameAssembler(
      { ...options, fps: window.fps, startTimeMs: options.startTimeMs ?? 0, now: Date.now },
      {
        onFrame: (frame) => {
          frames.next(frame);
        },
        onDiscontinuity: (discontinuity) => {
          tellDiscontinuity(discontinuity, whyDown);
        },
        onLate: () => {
          counters.count('framesDropped', 'late');
        },
      },
    );
    const run = {
      plan: {
        ffmpegPath: options.ffmpegPath,
        address,
        kind,
        realtime: options.realtime,
        ioTimeoutMs: options.noFrameTimeoutMs,
        filter: samplingFilter({ ...options, fps: window.fps }),
      },
      pictureBytes: options.width * options.height * 3,
      // At a low frame rate the grid itself is slow; a local file is never late.
      noFrameTimeoutMs:
        address.protocol === 'file' ? undefined : Math.max(options.noFrameTimeoutMs, 3000 / window.fps),
      onPts: (ptsUs: number | undefined) => {
        assembler.pts(ptsUs);
      },
      onPicture: (data: Uint8Array) => {
        counters.pictureDecoded();
        assembler.picture(data);
      },
      onMessage: (line: string) => {
        // What it says while we end it is about the ending.
        if (!signal.aborted) complaints.note(line);
      },
      onStall: () => {
        transition('stalled', 'no_frames');
      },
      room: (until: AbortSignal) => queue.room(until),
    };
    try {
      await superviseStream(
        options,
        address,
        {
          run(until) {
            assembler.restart();
            hooks.logger.debug({ ...fields, arguments: describeArguments(run.plan) }, 'starting ffmpeg');
            return runFfmpeg(run, until);
          },
          transition,
          reconnecting({ reason }) {
            whyDown = reason;
            counters.count('reconnects', reason);
          },
        },
        signal,
      );
    } finally {
      complaints.flush();
      frames.complete();
    }
  }

  function tellDiscontinuity({ why, lastCapturedAtMs, capturedAtMs }: Discontinuity, whyDown: string): void {
    transition('up', why === 'start' ? 'first_frame' : 'pts_jump');
    if (lastCapturedAtMs === undefined || capturedAtMs <= lastCapturedAtMs || why === 'step_back') return;
    hooks.onGap({
      streamId,
      fromMs: lastCapturedAtMs,
      toMs: capturedAtMs,
      reason: why === 'start' ? whyDown : 'pts_jump',
    });
  }

  function transition(state: StreamTransition['state'], reason: string, detail?: string): void {
    const text = detail === undefined ? {} : { detail };
    const level = state === 'stalled' || state === 'down' ? 'warn' : 'info';
    hooks.logger[level]({ ...fields, state, reason, ...text }, `stream ${state}: ${reason}`);
    hooks.onTransition({ streamId, state, atMs: Date.now(), reason, ...text });
  }
}
