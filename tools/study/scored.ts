import { INDOOR, INTERACTIONS, indoorTruth } from './labels.ts';
import type { Prediction, VideoResult } from './predict.ts';
import type { TestVideo } from './videos.ts';

/**
 * Neighbouring windows of a long video show the same: they are drawn together,
 * a block of so many seconds at a time.
 */
const BLOCK_S = 15;

/**
 * A yes-or-no question, its answers sorted by score. `item` is the clip or block that an answer belongs to.
 */
export interface Question {
  readonly answers: readonly {
    readonly item: number;
    readonly score: number;
    readonly positive: boolean;
  }[];
}

/** What a prediction got right, ready to be weighted by item. */
export interface Scored {
  /** Clips of fight-surv, in the manifest's order. */
  readonly fight: Question;
  /** A clip of ut-interaction each. */
  readonly interactions: readonly boolean[];
  /** One question a label; items are blocks. */
  readonly indoor: readonly Question[];
  readonly counts: { readonly fight: number; readonly interactions: number; readonly blocks: number };
  /** Means a window, for short clips and for long videos. */
  readonly cost: { readonly short: Cost; readonly long: Cost };
}

export interface Cost {
  readonly windows: number;
  readonly keptSteps: number;
  readonly multiplyAdds: number;
}

/**
 * Compares a prediction with what the manifest says of the same videos. A
 * clip's score is the mean over its windows.
 */
export function scorePrediction(prediction: Prediction, videos: readonly TestVideo[]): Scored {
  const { labels } = prediction;
  const results = (task: VideoResult['task']): readonly VideoResult[] =>
    prediction.videos.filter((video) => video.task === task);
  const truthOf = new Map(videos.map((video) => [video.name, video]));
  const labelOf = (name: string): string => truthOf.get(name)?.segments[0]?.labels[0] ?? '';
  const fights = results('fight').map(({ name, windows }, item) => ({
    item,
    score: meanScore(windows, labels.indexOf('fight')),
    positive: labelOf(name) === 'fight',
  }));
  const interactions = results('interaction').map(({ name, windows }) => {
    const scores = INTERACTIONS.map((label) => meanScore(windows, labels.indexOf(label)));
    return INTERACTIONS[scores.indexOf(Math.max(...scores))] === labelOf(name);
  });
  const { questions, blocks } = indoorQuestions(results('indoor'), truthOf, labels);
  const short = [...results('fight'), ...results('interaction')];
  return {
    fight: sorted(fights),
    interactions,
    indoor: questions,
    counts: { fight: fights.length, interactions: interactions.length, blocks },
    cost: { short: costOf(short), long: costOf(results('indoor')) },
  };
}

function indoorQuestions(
  results: readonly VideoResult[],
  truthOf: ReadonlyMap<string, TestVideo>,
  labels: readonly string[],
): { readonly questions: readonly Question[]; readonly blocks: number } {
  const answers = new Map<string, { item: number; score: number; positive: boolean }[]>(
    INDOOR.map((label) => [label, []]),
  );
  const blocks = new Map<string, number>();
  for (const { name, windows } of results) {
    for (const window of windows) {
      const block = `${name} ${Math.floor(window.startS / BLOCK_S)}`;
      if (!blocks.has(block)) blocks.set(block, blocks.size);
      const truth = indoorTruth(truthOf.get(name)?.segments ?? [], window.startS, window.endS);
      for (const [label, holds] of truth) {
        if (holds === undefined) continue;
        const score = window.scores[labels.indexOf(label)] ?? 0;
        answers.get(label)!.push({ item: blocks.get(block)!, score, positive: holds });
      }
    }
  }
  return { questions: [...answers.values()].map(sorted), blocks: blocks.size };
}

function sorted(answers: readonly { item: number; score: number; positive: boolean }[]): Question {
  return { answers: answers.toSorted((a, b) => a.score - b.score) };
}

function meanScore(windows: VideoResult['windows'], label: number): number {
  return windows.reduce((sum, { scores }) => sum + (scores[label] ?? 0), 0) / Math.max(1, windows.length);
}

function costOf(results: readonly VideoResult[]): Cost {
  const windows = results.flatMap((video) => video.windows);
  const mean = (key: 'keptSteps' | 'multiplyAdds'): number =>
    windows.reduce((sum, window) => sum + window[key], 0) / Math.max(1, windows.length);
  return { windows: windows.length, keptSteps: mean('keptSteps'), multiplyAdds: mean('multiplyAdds') };
}
