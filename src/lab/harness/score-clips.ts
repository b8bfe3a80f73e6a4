import type { LabelledClip } from '../datasets/types.ts';
import { readLabelledFrames, type LabelledFrames } from './read-labelled-frames.ts';
import { scoreAsRun, scoreViews } from './score-windows.ts';
import type { EvaluationSetup, ScoredWindow } from './types.ts';

/** A clip with its scores, the mean over its windows and views, one a model label. */
export interface ScoredClip {
  readonly clip: LabelledClip;
  readonly scores: readonly number[];
  readonly windows: readonly ScoredWindow[];
}

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
  const reading = { ...setup, info: setup.engine.info, squares: setup.views.crops > 1, signal };
  for await (const shown of readLabelledFrames(path, clips, reading))
    yield await scoreClip(shown, setup, signal);
}

async function scoreClip(
  { clip, window, ...shown }: LabelledFrames,
  setup: EvaluationSetup,
  signal: AbortSignal,
): Promise<ScoredClip> {
  const { views } = setup;
  const windows =
    views.clips === undefined && views.crops === 1
      ? await scoreAsRun(clip, shown, setup, { window, signal })
      : await scoreViews(shown, setup, { window, signal });
  const sums = new Float64Array(setup.engine.info.labels.length);
  for (const { scores } of windows) {
    for (const [id, score] of scores.entries()) sums[id] = (sums[id] ?? 0) + score;
  }
  return { clip, scores: Array.from(sums, (sum) => sum / windows.length), windows };
}
