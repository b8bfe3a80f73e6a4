import { open } from 'node:fs/promises';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import type { LabelledClip } from '../datasets/types.ts';
import type { Work } from '../evaluation/results.ts';
import type { ScoredClip } from './score-clips.ts';
import type { ScoredWindow } from './types.ts';
import type { WatchedVideo } from './watch-video.ts';

/** One JSON line a scored clip or watched video, written as they come. */
export interface PredictionLog extends AsyncDisposable {
  clip(scored: ScoredClip, labels: readonly string[]): Promise<void>;
  video(clips: readonly LabelledClip[], watched: WatchedVideo, labels: readonly string[]): Promise<void>;
}

/** @param file absent: nothing is written. @throws ActionstreamError USAGE where it cannot be written */
export async function openPredictions(file: string | undefined): Promise<PredictionLog> {
  const handle =
    file === undefined
      ? undefined
      : await open(file, 'w').catch((cause: unknown) => {
          throw new ActionstreamError(
            'USAGE',
            `--predictions ${file}: cannot be written: ${messageOf(cause)}`,
            { cause },
          );
        });
  const write = async (line: object): Promise<void> => {
    await handle?.appendFile(`${JSON.stringify(line)}\n`);
  };
  return {
    clip: ({ clip, scores, windows }, labels) =>
      write({
        ...describe(clip),
        ...timesOf(clip),
        labels: clip.labels,
        scores: Object.fromEntries(labels.map((label, id) => [label, short(scores[id] ?? 0)])),
        score_labels: labels,
        windows: windows.map(describeWindow),
        compute: describeWork(windows.map(({ work }) => work)),
      }),
    video: (clips, { durationS, events, windows }, labels) =>
      write({
        ...(clips[0] && describe(clips[0])),
        duration_s: short(durationS),
        truth: clips.map((clip) => ({ labels: clip.labels, ...timesOf(clip) })),
        events: events.map(({ label, startS, endS, peak, mean }) => ({
          label,
          start_s: short(startS),
          end_s: short(endS),
          peak,
          mean,
        })),
        score_labels: labels,
        windows: windows.map(describeWindow),
        compute: describeWork(windows.map(({ work }) => work)),
      }),
    async [Symbol.asyncDispose]() {
      await handle?.close();
    },
  };
}

function describe({ dataset, name, split, group }: LabelledClip): object {
  return { dataset, path: name, split, ...(group !== undefined && { group }) };
}

function timesOf({ startS, endS }: LabelledClip): object {
  return { ...(startS !== undefined && { start_s: startS }), ...(endS !== undefined && { end_s: endS }) };
}

/** Scores to the decimals that `run` compares with thresholds: episodes can be made from them. */
function describeWindow({ segment, startS, endS, scores, work }: ScoredWindow): object {
  return {
    segment,
    start_s: short(startS),
    end_s: short(endS),
    kept_steps: work.keptSteps,
    scores: scores.map((score) => Math.round(score * 1e6) / 1e6),
  };
}

/** Kept steps and milliseconds of each inference, sums of the rest. */
function describeWork(work: readonly Work[]): object {
  const sum = (value: (one: Work) => number): number => work.reduce((total, one) => total + value(one), 0);
  return {
    kept_steps: work.map(({ keptSteps }) => keptSteps),
    input_steps: work[0]?.inputSteps ?? 0,
    multiply_adds: sum((one) => one.multiplyAdds),
    dense_multiply_adds: sum((one) => one.denseMultiplyAdds),
    reused_multiply_adds: sum((one) => one.reusedMultiplyAdds),
    ms: short(sum((one) => one.ms)),
  };
}

function short(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
