import { countEvents, matchEventsOf, type EventCounts } from '../../src/lab/evaluation/event-figures.ts';
import type { ResolvedTask } from '../../src/lab/evaluation/resolve-task.ts';
import type { ModelManifest } from '../../src/inference/model.ts';
import { DETECTION_ON } from './choose-delta.ts';
import type { PredictedVideo } from './predictions.ts';
import { replayEpisodes, type Thresholds } from './replay-episodes.ts';

/**
 * Labels of a choice alarm from here: nothing in the training clips, cut around
 * two people, says what they do in a full frame.
 */
const CHOICE_ON = 0.7;
/** Of labels with events in the training videos, the best of these. */
const EVENT_ON = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8] as const;
/**
 * An episode goes on down to this share of the threshold that began it: further
 * down, ends come late and doubts become events (training/RESULTS.md).
 */
const OFF_SHARE = 0.9;

/** What one threshold gives on the training videos. */
export interface Candidate {
  readonly on: number;
  readonly figures: EventCounts;
}

export interface ChosenThresholds {
  readonly thresholds: Thresholds;
  /** By label, of those that were chosen among candidates. */
  readonly tried: ReadonlyMap<string, readonly Candidate[]>;
}

/** Thresholds of every label that a task speaks of; the others are left to `run`. */
export function chooseThresholds(
  videos: readonly PredictedVideo[],
  manifest: ModelManifest,
  tasks: ReadonlyMap<string, { readonly settled: ResolvedTask; readonly toleranceS: number }>,
): ChosenThresholds {
  const chosen = new Map<string, number>();
  const tried = new Map<string, readonly Candidate[]>();
  for (const [dataset, { settled, toleranceS }] of tasks) {
    const ofDataset = videos.filter((video) => video.dataset === dataset);
    for (const id of settled.candidates) {
      const label = manifest.labels[id]!;
      if (settled.kind === 'detection') chosen.set(label, DETECTION_ON);
      if (settled.kind === 'choice') chosen.set(label, CHOICE_ON);
      if (settled.kind !== 'events' || ofDataset.length === 0) continue;
      const candidates = EVENT_ON.map((on) => {
        const watched = ofDataset.map((video) => watchedAt(video, { manifest, settled, label, on }));
        return { on, figures: countEvents(matchEventsOf(watched, { labelId: id, toleranceS })) };
      });
      if (candidates[0]!.figures.events === 0) continue;
      tried.set(label, candidates);
      chosen.set(label, bestOn(candidates));
    }
  }
  const thresholds = manifest.labels.flatMap((label) => {
    const on = chosen.get(label);
    return on === undefined ? [] : [[label, pairOf(on)] as const];
  });
  return { thresholds: Object.fromEntries(thresholds), tried };
}

/**
 * The candidate with the best F1, of equal ones the middle, the higher of two: the
 * weights have seen this footage and are surer of it than they will be of any other,
 * which asks for less, and a false alarm wakes somebody, which asks for more.
 */
function bestOn(candidates: readonly Candidate[]): number {
  const f1Of = ({ figures }: Candidate): number => figures.f1 ?? 0;
  const most = Math.max(...candidates.map(f1Of));
  const best = candidates.filter((one) => f1Of(one) === most);
  return best[Math.floor(best.length / 2)]!.on;
}

function pairOf(on: number): Thresholds[string] {
  return { on, off: Math.round(on * OFF_SHARE * 1000) / 1000 };
}

interface Trial {
  readonly manifest: ModelManifest;
  readonly settled: ResolvedTask;
  readonly label: string;
  readonly on: number;
}

function watchedAt(video: PredictedVideo, { manifest, settled, label, on }: Trial) {
  return {
    group: video.group ?? video.path,
    durationS: video.duration_s,
    truth: video.truth.flatMap(({ labels, start_s: startS = 0, end_s: endS = video.duration_s }) =>
      (settled.truthOf(labels) ?? []).map((labelId) => ({ labelId, startS, endS })),
    ),
    found: replayEpisodes(video, manifest, { [label]: pairOf(on) }),
  };
}
