import type { Clip } from '../../core/frame.ts';
import type { LabelledClip } from '../datasets/types.ts';
import { clipsOfFrames } from '../../ingest/index.ts';
import type { WindowOptions } from '../../ingest/types.ts';
import type { InferenceResult } from '../../inference/engine.ts';
import { createPixelPacker } from '../../pipeline/pack-pixels.ts';
import { clipContext } from '../../pipeline/clip-context.ts';
import { scoreUnchangedOnce } from '../../pipeline/unchanged-clips.ts';
import type { ClipFrames, EvaluationSetup, ScoredWindow } from './types.ts';
import { cutWindow, viewsOf } from './views.ts';
import { spreadWindows } from './windows.ts';
import type { ComputeStats } from '../../core/compute.ts';
import type { Work } from '../evaluation/results.ts';

/**
 * The windows that `run` would cut from these frames, were they all of a stream, with the scores that it
 * would give them. One begins every stride from the first frame, and the last one is padded. Overlapping
 * windows reuse steps of the lower stage (ADR 0019). The labelled clip is a stream of its own; nothing is
 * kept of it.
 */
export async function scoreAsRun(
  { name, startS = 0 }: LabelledClip,
  { frames, originMs }: ClipFrames,
  { engine, sampler }: Pick<EvaluationSetup, 'engine' | 'sampler'>,
  { window, signal }: { readonly window: WindowOptions; readonly signal: AbortSignal },
): Promise<readonly ScoredWindow[]> {
  const streamId = `${name}@${startS}`;
  const pack = createPixelPacker({ contextFrames: clipContext(engine.info, window.stride), sampler });
  const scorer = scoreUnchangedOnce(engine);
  const windows: ScoredWindow[] = [];
  try {
    for (const clip of clipsOfFrames(frames, window)) {
      const pixels = pack({ ...clip, streamId });
      const { scores, compute } = await scorer.infer(pixels, { sampler, signal });
      windows.push(scoredWindow(clip, originMs, { scores, compute }));
    }
  } finally {
    engine.closeStream?.(streamId);
  }
  return windows;
}

/** Times count from `originMs`. */
export function scoredWindow(
  { segment, startedAtMs, endedAtMs }: Pick<Clip, 'segment' | 'startedAtMs' | 'endedAtMs'>,
  originMs: number,
  { scores, compute }: Pick<InferenceResult, 'scores' | 'compute'>,
): ScoredWindow {
  return {
    segment,
    startS: (startedAtMs - originMs) / 1000,
    endS: (endedAtMs - originMs) / 1000,
    scores: Array.from(scores),
    work: workOf(compute),
  };
}

/** Windows and squares as published protocols take them (`--clips`, `--crops`), each inferred by itself. */
export async function scoreViews(
  { frames, originMs }: ClipFrames,
  { engine, sampler, views }: Pick<EvaluationSetup, 'engine' | 'sampler' | 'views'>,
  { window, signal }: { readonly window: WindowOptions; readonly signal: AbortSignal },
): Promise<readonly ScoredWindow[]> {
  const { frames: length, height, width } = engine.info;
  const [head] = frames;
  if (!head) return [];
  const windows: ScoredWindow[] = [];
  for (const first of spreadWindows(frames.length, length, views.clips)) {
    const shown = frames.slice(first, first + length);
    const [begin = head, last = head] = [shown[0], shown.at(-1)];
    for (const view of viewsOf(head, { width, height })) {
      const pixels = cutWindow(frames, { first, length, view, size: { width, height } });
      const { scores, compute } = await engine.infer(pixels, { sampler, signal });
      const shownAs = {
        segment: begin.segment,
        startedAtMs: begin.capturedAtMs,
        endedAtMs: last.capturedAtMs + 1000 / window.fps,
      };
      windows.push(scoredWindow(shownAs, originMs, { scores, compute }));
    }
  }
  return windows;
}

/** What figures need of a compute receipt. */
export function workOf({ lowerMs, samplerMs, upperMs, ...compute }: ComputeStats): Work {
  const { keptSteps, inputSteps, multiplyAdds, denseMultiplyAdds, reusedMultiplyAdds } = compute;
  const ms = lowerMs + samplerMs + upperMs;
  return { keptSteps, inputSteps, multiplyAdds, denseMultiplyAdds, reusedMultiplyAdds, ms };
}
