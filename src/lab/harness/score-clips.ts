import { resolveStream } from '../../config/index.ts';
import { ActionstreamError } from '../../core/errors.ts';
import type { Frame } from '../../core/frame.ts';
import type { LabelledClip } from '../datasets/types.ts';
import { createClipStream, probeSource } from '../../ingest/index.ts';
import type { StreamOptions } from '../../ingest/types.ts';
import { noteLogger } from './note-logger.ts';
import { scoreAsRun, scoreViews } from './score-windows.ts';
import type { EvaluationSetup, ScoredWindow } from './types.ts';
import { sizeForViews } from './views.ts';

/** A clip with its scores, the mean over its windows and views, one a model label. */
export interface ScoredClip {
  readonly clip: LabelledClip;
  readonly scores: readonly number[];
  readonly windows: readonly ScoredWindow[];
}

interface ClipContext {
  readonly setup: EvaluationSetup;
  /** What `run` would use for the video. */
  readonly options: StreamOptions;
  readonly video: { readonly originMs: number; readonly lastS: number };
  readonly signal: AbortSignal;
}

/** Frames of the clips that are open at a time: a clip is some seconds long, not hours. */
const MOST_BYTES = 2 ** 30;

/**
 * The labelled clips of one video, each scored as soon as its last frame is
 * there. The video is read once, as `run` reads it.
 * @throws ActionstreamError where it cannot be read, or a clip lies behind its end
 */
export async function* scoreClips(
  path: string,
  clips: readonly LabelledClip[],
  setup: EvaluationSetup,
  signal: AbortSignal,
): AsyncGenerator<ScoredClip, void, undefined> {
  const { settings, engine, ffmpegPath } = setup;
  const { options } = resolveStream({ ...settings, streamId: path, url: path }, engine.info, ffmpegPath);
  let open = clips.map((clip) => ({ clip, frames: [] as Frame[] }));
  const video = { originMs: 0, lastS: 0 };
  let bytes = 0;
  let first = true;
  for await (const frame of framesOf(options, setup, signal)) {
    if (first) video.originMs = frame.capturedAtMs;
    first = false;
    const timeS = (frame.capturedAtMs - video.originMs) / 1000;
    video.lastS = timeS;
    for (const { clip, frames } of open) {
      if (timeS >= (clip.endS ?? Infinity)) {
        yield await scoreClip(clip, frames, { setup, options, video, signal });
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
  for (const { clip, frames } of open) yield await scoreClip(clip, frames, { setup, options, video, signal });
}

async function* framesOf(
  options: StreamOptions,
  setup: EvaluationSetup,
  signal: AbortSignal,
): AsyncGenerator<Frame, void, undefined> {
  const { frames, fps } = options.window;
  const window = { frames, stride: frames, fps, tail: 'short' } as const;
  const source = createClipStream(
    { ...options, window, ...(await frameSize(options, setup, signal)) },
    {
      logger: noteLogger(options.url, setup.onNote),
      onTransition: () => undefined,
      onGap: () => undefined,
    },
  );
  for await (const clip of source.clips(signal)) yield* clip.frames;
}

async function frameSize(
  { url, width, height }: StreamOptions,
  { views, ffmpegPath }: EvaluationSetup,
  signal: AbortSignal,
): Promise<{ readonly width: number; readonly height: number }> {
  if (views.crops === 1) return { width, height };
  return sizeForViews(await probeSource({ url, ffmpegPath, seconds: 0.1 }, signal), { width, height });
}

async function scoreClip(
  clip: LabelledClip,
  frames: readonly Frame[],
  { setup, options, video, signal }: ClipContext,
): Promise<ScoredClip> {
  if (frames.length === 0) throw noFrames(clip, video.lastS);
  const { views } = setup;
  const shown = { frames, originMs: video.originMs };
  const context = { window: options.window, signal };
  const windows =
    views.clips === undefined && views.crops === 1
      ? await scoreAsRun(clip, shown, setup, context)
      : await scoreViews(shown, setup, context);
  const sums = new Float64Array(setup.engine.info.labels.length);
  for (const { scores } of windows) {
    for (const [id, score] of scores.entries()) sums[id] = (sums[id] ?? 0) + score;
  }
  return { clip, scores: Array.from(sums, (sum) => sum / windows.length), windows };
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
