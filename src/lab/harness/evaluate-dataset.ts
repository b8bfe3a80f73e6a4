import { toActionstreamError } from '../../core/errors.ts';
import type { LabelledClip } from '../datasets/types.ts';
import type { ScoredExample, WatchedExample, Work } from '../evaluation/results.ts';
import type { PlannedDataset } from './plan.ts';
import type { PredictionLog } from './predictions.ts';
import { scoreClips } from './score-clips.ts';
import type { EvaluationObserver, EvaluationSetup, VideoFailure } from './types.ts';
import { watchVideo } from './watch-video.ts';

export interface DatasetRun {
  readonly setup: EvaluationSetup;
  readonly observer: EvaluationObserver;
  readonly predictions: PredictionLog;
  readonly signal: AbortSignal;
}

interface Measured {
  readonly clips: readonly ScoredExample[];
  readonly watched: readonly WatchedExample[];
  readonly work: readonly Work[];
}

/** Failures that the next video would meet as well. */
const HOPELESS: ReadonlySet<string> = new Set([
  'ABORTED',
  'FFMPEG_MISSING',
  'ENGINE_UNAVAILABLE',
  'CONFIG_INVALID',
  'SAMPLER_INVALID',
]);

/**
 * Videos in the order of the list. One that cannot be evaluated is reported and left out.
 * @throws what would fail every video
 */
export async function evaluateDataset(
  dataset: PlannedDataset,
  run: DatasetRun,
): Promise<Measured & { readonly failed: readonly VideoFailure[] }> {
  const measured: Measured[] = [];
  const failed: VideoFailure[] = [];
  for (const [path, clips] of dataset.videos) {
    const name = clips[0]?.name ?? path;
    try {
      measured.push(await evaluateVideo(path, clips, dataset, run));
      run.observer.onVideo(name);
    } catch (error) {
      run.signal.throwIfAborted();
      const { code, message } = toActionstreamError(error);
      if (HOPELESS.has(code)) throw error;
      const failure = { dataset: dataset.name, path: name, code, message };
      failed.push(failure);
      run.observer.onVideo(name, failure);
    }
  }
  return {
    clips: measured.flatMap((one) => one.clips),
    watched: measured.flatMap((one) => one.watched),
    work: measured.flatMap((one) => one.work),
    failed,
  };
}

async function evaluateVideo(
  path: string,
  clips: readonly LabelledClip[],
  { task, resolved }: PlannedDataset,
  { setup, predictions, signal }: DatasetRun,
): Promise<Measured> {
  const { labels } = setup.engine.info;
  const group = clips[0]?.group ?? path;
  if (task.kind === 'events' || task.kind === 'cost') {
    const video = await watchVideo(path, setup, signal);
    await predictions.video(clips, video, labels);
    const truth = clips.flatMap(({ labels: names, startS = 0, endS = video.durationS }) =>
      (resolved.truthOf(names) ?? []).map((labelId) => ({ labelId, startS, endS })),
    );
    const watched = { group, durationS: video.durationS, truth, found: video.events };
    return { clips: [], watched: [watched], work: video.windows.map(({ work }) => work) };
  }
  const examples: ScoredExample[] = [];
  const work: Work[] = [];
  for await (const scored of scoreClips(path, clips, setup, signal)) {
    await predictions.clip(scored, labels);
    const truth = resolved.truthOf(scored.clip.labels) ?? [];
    examples.push({ group: scored.clip.group ?? path, truth, scores: scored.scores });
    work.push(...scored.windows.map((window) => window.work));
  }
  return { clips: examples, watched: [], work };
}
