import type { FfmpegRun, FrameLimits } from './ffmpeg-run.ts';
import { samplingFilter } from './sampling-filter.ts';
import type { SourceAddress } from './source-address.ts';
import type { StreamOptions } from './types.ts';

/** A camera needs time to answer, and its first frame waits for a key frame. */
const LEAST_FIRST_FRAME_MS = 10_000;
/** On a slow grid, frames are far apart by nature. */
const LEAST_SLOTS = 3;

/** What ffmpeg is asked to do for a stream, and how long it may give no frame. */
export function ffmpegOfStream(
  options: StreamOptions,
  address: SourceAddress,
  { arrivalTimes }: { readonly arrivalTimes: boolean },
): Pick<FfmpegRun, 'plan' | 'frameBytes' | 'limits'> {
  const { ffmpegPath, kind, realtime, width, height, window, ringDir } = options;
  const limits = limitsOf(options, address);
  return {
    plan: {
      ...{ ffmpegPath, address, kind, realtime },
      // A camera's silence is for our watchdog to notice, not for ffmpeg; a
      // file server's makes ffmpeg try once more.
      ioTimeoutMs: kind === 'live' ? 3 * limits.firstMs : limits.nextMs / 2,
      filter: samplingFilter({ ...options, fps: window.fps, arrivalTimes }),
      // Without times of its own the source gives the kept video none either.
      ...(ringDir !== undefined && kind === 'live' && !arrivalTimes && { ringDir }),
    },
    frameBytes: width * height * 3,
    // A local file is never late.
    limits: address.protocol === 'file' ? undefined : limits,
  };
}

function limitsOf({ noFrameTimeoutMs, window }: StreamOptions, { listens }: SourceAddress): FrameLimits {
  const nextMs = Math.max(noFrameTimeoutMs, (LEAST_SLOTS * 1000) / window.fps);
  // Who waits for a sender has all the time it wants.
  return { nextMs, firstMs: listens ? Infinity : Math.max(nextMs, LEAST_FIRST_FRAME_MS) };
}
