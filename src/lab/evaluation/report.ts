import type { ChoiceFigures } from './choice-figures.ts';
import { computeFigures, type ComputeFigures } from './compute-figures.ts';
import { detectionFigures, type DetectionFigures } from './detection-figures.ts';
import { choiceFigures } from './choice-figures.ts';
import { eventFigures, type EventFigures } from './event-figures.ts';
import type { ScoredExample, WatchedExample, Work } from './results.ts';
import type { ResolvedTask } from './resolve-task.ts';
import type { Task } from './tasks.ts';

/** The figures of one data set; keys are those of `evaluate --json`. */
export type DatasetFigures = DatasetCounts &
  (
    | ({ readonly task: 'detection' } & DetectionFigures)
    | ({ readonly task: 'choice' | 'classification' } & ChoiceFigures)
    | ({ readonly task: 'events' } & EventDatasetFigures)
    | { readonly task: 'cost' }
  );

export interface DatasetCounts {
  readonly videos: number;
  /** Clips that the task does not speak of; they are not read. */
  readonly left_out: number;
  readonly compute: ComputeFigures;
}

/**
 * The headline's figures under the data set's own word for its events, e.g.
 * `falls`, and those of every label.
 */
export type EventDatasetFigures = Omit<EventFigures, 'events'> & {
  readonly headline: string;
  readonly labels: Readonly<Record<string, EventFigures>>;
};

/**
 * What was measured on the clips and videos of one data set; of `clips` and
 * `videos` the one that the task wants.
 */
export interface DatasetResults {
  readonly clips: readonly ScoredExample[];
  readonly watched: readonly WatchedExample[];
  readonly work: readonly Work[];
  readonly counts: Omit<DatasetCounts, 'compute'>;
}

export interface FiguresContext {
  readonly labels: readonly string[];
  /** From which score on a label counts as seen. */
  readonly thresholdOf: (labelId: number) => number;
  /** Of the bootstrap. */
  readonly seed: number;
}

/** Undefined where nothing could be measured. */
export function datasetFigures(
  { task, resolved }: { readonly task: Task; readonly resolved: ResolvedTask },
  { clips, watched, work, counts }: DatasetResults,
  { labels, thresholdOf, seed }: FiguresContext,
): DatasetFigures | undefined {
  const compute = computeFigures(work);
  if (!compute) return undefined;
  const common = { ...counts, compute };
  const labelId = resolved.candidates[0] ?? -1;
  switch (task.kind) {
    case 'detection': {
      const figures = detectionFigures(clips, { labelId, threshold: thresholdOf(labelId), seed });
      return { task: task.kind, ...figures, ...common };
    }
    case 'choice':
    case 'classification': {
      const figures = choiceFigures(clips, { candidates: resolved.candidates, labels });
      return { task: task.kind, ...figures, ...common };
    }
    case 'events': {
      const { toleranceS, headline } = task;
      const figuresOf = (id: number): EventFigures =>
        eventFigures(watched, { labelId: id, toleranceS, seed });
      const { events, ...first } = figuresOf(labelId);
      const all = resolved.candidates.map((id) => [labels[id] ?? String(id), figuresOf(id)] as const);
      const own = { [headline.events]: events, ...first, headline: labels[labelId] ?? headline.label };
      return { task: task.kind, ...own, labels: Object.fromEntries(all), ...common };
    }
    case 'cost':
      return { task: task.kind, ...common };
  }
}
