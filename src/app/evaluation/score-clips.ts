import { resolveStream } from '../../config/index.ts';
import { ActionstreamError } from '../../core/errors.ts';
import type { Frame } from '../../core/frame.ts';
import type { LabelledClip } from '../../datasets/types.ts';
import type { Work } from '../../evaluation/results.ts';
import { createClipStream, probeSource } from '../../ingest/index.ts';
import type { StreamOptions } from '../../ingest/types.ts';
import type { EvaluationSetup } from './types.ts';
import { noteLogger } from './note-logger.ts';
import { cutWindow, sizeForViews, viewsOf } from './views.ts';
import { windowStarts } from './windows.ts';
import { workOf } from './work.ts';

/** A clip with its scores, the mean over its windows and views, one a model label. */
export interface ScoredClip {
  readonly clip: LabelledClip;
  readonly scores: readonly number[];
  /** One a window and view. */
  readonly work: readonly Work[];
}

/** Frames of the clips that are open at a time: a clip is some seconds long, not hours. */
const MOST_BYTES = 2 ** 30;

/**
 * The labelled clips of one video, each scored as soon as its last frame is there. The video is read once, as `run` reads it.
 * @throws ActionstreamError where it cannot be read, or a clip lies behind its end
 */
export async function* scoreClips(
  path: string,
  clips: readonly LabelledClip[],
  setup: EvaluationSetup,
  signal: AbortSignal,
): AsyncGenerator<ScoredClip, void, undefined> {
  let open = clips.map((clip) => ({ clip, frames: [] as Frame[] }));
  let [lastS, bytes] = [0, 0];
  for await (const [timeS, frame] of framesOf(path, setup, signal)) {
    lastS = timeS;
    for (const { clip, frames } of open) {
      if (timeS >= (clip.endS ?? Infinity)) {
        yield await scoreClip(clip, frames, { setup, lastS, signal });
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
  for (const { clip, frames } of open) yield await scoreClip(clip, frames, { setup, lastS, signal });
}

/** Frames with their seconds from the first one. */
async function* framesOf(
  path: string,
  setup: EvaluationSetup,
  signal: AbortSignal,
): AsyncGenerator<readonly [timeS: number, frame: Frame], void, undefined> {
  const { settings, engine, ffmpegPath, onNote } = setup;
  const stream = { ...settings, streamId: path, url: path };
  const { options } = resolveStream(stream, engine.info, ffmpegPath);
  const { frames, fps } = options.window;
  const window = { frames, stride: frames, fps, tail: 'short' } as const;
  const source = createClipStream(
    { ...options, window, ...(await pictureSize(options, setup, signal)) },
    { logger: noteLogger(path, onNote), onTransition: () => undefined, onGap: () => undefined },
  );
  let firstMs: number | undefined;
  for await (const clip of source.clips(signal)) {
    for (const frame of clip.frames) {
      firstMs ??= frame.capturedAtMs;
      yield [(frame.capturedAtMs - firstMs) / 1000, frame];
    }
  }
}

async function pictureSize(
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
  {
    setup,
    lastS,
    signal,
  }: { readonly setup: EvaluationSetup; readonly lastS: number; readonly signal: AbortSignal },
): Promise<ScoredClip> {
  const { engine, sampler, views } = setup;
  const { frames: length, height, width, labels } = engine.info;
  const [picture] = frames;
  if (!picture) throw noFrames(clip, lastS);
  const sums = new Float64Array(labels.length);
  const work: Work[] = [];
  for (const first of windowStarts(frames.length, length, views.clips)) {
    for (const view of viewsOf(picture, { width, height })) {
      const pixels = cutWindow(frames, { first, length, view, size: { width, height } });
      const { scores, compute } = await engine.infer(pixels, { sampler, signal });
      work.push(workOf(compute));
      for (const [id, score] of scores.entries()) sums[id] = (sums[id] ?? 0) + score;
    }
  }
  return { clip, scores: Array.from(sums, (sum) => sum / work.length), work };
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
