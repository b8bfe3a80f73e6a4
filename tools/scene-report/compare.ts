import type { ActionEvent } from '../../src/core/records.ts';
import { matchEvents, type Span } from '../../src/lab/evaluation/match-events.ts';
import { TASKS, type LabelNames } from '../../src/lab/evaluation/tasks.ts';
import type { SceneTruth } from '../scene/truth.ts';

/** How the episodes of one label in one scene meet what was done there. */
export interface LabelComparison {
  readonly label: string;
  /** Times that somebody did this. */
  readonly actions: number;
  /** Of each that was found: reported minus true time, seconds. */
  readonly found: readonly { readonly onsetS: number; readonly offsetS: number }[];
  /** Reported where nobody did it. */
  readonly falseAlarms: number;
  /** Reported once more though already found. */
  readonly repeats: number;
}

/**
 * What the model calls the scene's actions, which are named as in the real
 * manifests; postures and what speaks of a whole clip have no episodes.
 */
const MODEL_NAMES: LabelNames = {
  fight: 'fight',
  ...namesOf('ut-interaction'),
  ...namesOf('fir-action'),
};

/** The model's labels by those of a data set. */
export function namesOf(dataset: string): LabelNames {
  const task = TASKS[dataset];
  return task && 'labels' in task ? task.labels : {};
}

/** `ended` events of a scene against its truth, for each label that was done or reported. */
export function compareScene(truth: SceneTruth, ended: readonly ActionEvent[]): readonly LabelComparison[] {
  const done = truth.actions.flatMap(({ label }) => MODEL_NAMES[label] ?? []);
  return [...new Set([...done, ...ended.map(({ label }) => label)])].map((label) => {
    const reported = ended.filter((event) => event.label === label).map(spanOf);
    const { pairs, missed, falseAlarms, repeats } = matchEvents(spansOf(truth, label), reported, 0);
    const found = pairs.map((pair) => ({
      onsetS: pair.found.startS - pair.truth.startS,
      offsetS: pair.found.endS - pair.truth.endS,
    }));
    return {
      ...{ label, found, actions: pairs.length + missed.length },
      ...{ falseAlarms: falseAlarms.length, repeats: repeats.length },
    };
  });
}

/** Of several scenes: one comparison a label. */
export function addUp(parts: readonly LabelComparison[]): readonly LabelComparison[] {
  const sums = new Map<string, LabelComparison>();
  for (const part of parts) {
    const before = sums.get(part.label);
    sums.set(part.label, {
      label: part.label,
      actions: part.actions + (before?.actions ?? 0),
      found: [...(before?.found ?? []), ...part.found],
      falseAlarms: part.falseAlarms + (before?.falseAlarms ?? 0),
      repeats: part.repeats + (before?.repeats ?? 0),
    });
  }
  return [...sums.values()];
}

/** Mean distances of start and end of all that was found, seconds; NaN where nothing was. */
export function meanErrors(parts: readonly LabelComparison[]): {
  readonly onsetS: number;
  readonly offsetS: number;
} {
  const found = parts.flatMap((part) => part.found);
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length;
  return {
    onsetS: mean(found.map(({ onsetS }) => onsetS)),
    offsetS: mean(found.map(({ offsetS }) => offsetS)),
  };
}

/** When somebody does this; people who do it at the same time are one episode of the stream. */
export function spansOf(truth: SceneTruth, label: string): readonly Span[] {
  const spans: Span[] = [];
  for (const { label: name, start_s: startS, end_s: endS } of truth.actions) {
    if (MODEL_NAMES[name] !== label) continue;
    const last = spans.at(-1);
    if (last && startS <= last.endS) spans[spans.length - 1] = { ...last, endS: Math.max(last.endS, endS) };
    else spans.push({ startS, endS });
  }
  return spans;
}

function spanOf(event: ActionEvent): Span {
  return {
    startS: Date.parse(event.started_at) / 1000,
    endS: Date.parse(event.ended_at ?? event.started_at) / 1000,
  };
}
