import { resolveStream, type StreamSettings } from '../../config/index.ts';
import { ActionstreamError } from '../../core/errors.ts';
import type { Frame } from '../../core/frame.ts';
import type { EngineInfo } from '../../inference/engine.ts';
import { createClipStream, probeSource } from '../../ingest/index.ts';
import type { StreamOptions, WindowOptions } from '../../ingest/types.ts';
import type { LabelledClip } from '../datasets/types.ts';
import { noteLogger } from './note-logger.ts';
import type { ClipFrames } from './types.ts';
import { sizeForViews } from './views.ts';

/** A labelled clip with all its frames, at the model's rate, and how `run` would window them. */
export interface LabelledFrames extends ClipFrames {
  readonly clip: LabelledClip;
  readonly window: WindowOptions;
}

/** How frames are read: as `run` reads a stream of these settings. */
export interface FrameReading {
  readonly settings: StreamSettings;
  readonly info: EngineInfo;
  readonly ffmpegPath: string;
  readonly onNote: (note: string) => void;
  /** The longer side is kept whole, so that squares along it can be cut. */
  readonly squares?: boolean;
  readonly signal: AbortSignal;
}

/** Frames of the clips that are open at a time: a clip is some seconds long, not hours. */
const MOST_BYTES = 2 ** 30;

/**
 * The labelled clips of one video, each as soon as its last frame is there. The video is decoded once.
 * @throws ActionstreamError where it cannot be read, or a clip lies behind its end
 */
export async function* readLabelledFrames(
  path: string,
  clips: readonly LabelledClip[],
  reading: FrameReading,
): AsyncGenerator<LabelledFrames, void, undefined> {
  const { settings, info, ffmpegPath } = reading;
  const { options } = resolveStream({ ...settings, streamId: path, url: path }, info, ffmpegPath);
  const { window } = options;
  let open = clips.map((clip) => ({ clip, frames: [] as Frame[] }));
  let [originMs, lastS, bytes, first] = [0, 0, 0, true];
  const shown = (clip: LabelledClip, frames: readonly Frame[]): LabelledFrames => {
    if (frames.length === 0) throw noFrames(clip, lastS);
    return { clip, frames, originMs, window };
  };
  for await (const frame of framesOf(options, reading)) {
    if (first) originMs = frame.capturedAtMs;
    first = false;
    const timeS = (frame.capturedAtMs - originMs) / 1000;
    lastS = timeS;
    for (const { clip, frames } of open) {
      if (timeS >= (clip.endS ?? Infinity)) {
        yield shown(clip, frames);
        bytes -= frames.reduce((sum, { data }) => sum + data.length, 0);
      } else if (timeS >= (clip.startS ?? 0)) {
        frames.push(frame);
        bytes += frame.data.length;
      }
    }
    open = open.filter(({ clip }) => timeS < (clip.endS ?? Infinity));
    if (open.length === 0) return;
    if (bytes > MOST_BYTES) throw tooLong(path, timeS);
  }
  for (const { clip, frames } of open) yield shown(clip, frames);
}

async function* framesOf(
  options: StreamOptions,
  reading: FrameReading,
): AsyncGenerator<Frame, void, undefined> {
  const { frames, fps } = options.window;
  const window = { frames, stride: frames, fps, tail: 'short' } as const;
  const source = createClipStream(
    { ...options, window, ...(await frameSize(options, reading)) },
    {
      logger: noteLogger(options.url, reading.onNote),
      onTransition: () => undefined,
      onGap: () => undefined,
    },
  );
  for await (const clip of source.clips(reading.signal)) yield* clip.frames;
}

async function frameSize(
  { url, width, height }: StreamOptions,
  { squares = false, ffmpegPath, signal }: FrameReading,
): Promise<{ readonly width: number; readonly height: number }> {
  if (!squares) return { width, height };
  return sizeForViews(await probeSource({ url, ffmpegPath, seconds: 0.1 }, signal), { width, height });
}

function noFrames({ name, startS = 0, endS }: LabelledClip, lastS: number): ActionstreamError {
  const interval = `${startS} s to ${endS === undefined ? 'its end' : `${endS} s`}`;
  return new ActionstreamError(
    'INPUT_INVALID',
    `${name}: no frame from ${interval}; the video ends at ${lastS.toFixed(1)} s: check the times of its label`,
  );
}

function tooLong(path: string, timeS: number): ActionstreamError {
  return new ActionstreamError(
    'INPUT_INVALID',
    `${path}: a labelled clip is longer than memory allows (at ${timeS.toFixed(0)} s); give start_s and end_s of the action`,
  );
}
