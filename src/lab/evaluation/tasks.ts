/**
 * What the labels of a data set mean to a model, and which figures tell how well it
 * does. Label names are the data set's on the left and the model's on the right.
 */
export type Task =
  /** Does a clip show one label? AUC, and accuracy at the threshold from which `run` starts an episode. */
  | {
      readonly kind: 'detection';
      readonly label: string;
      readonly positive: readonly string[];
      readonly negative: readonly string[];
    }
  /** Which of these labels does a clip show? Top-1 among them alone; clips of other labels are left out. */
  | { readonly kind: 'choice'; readonly labels: LabelNames }
  /** Which of all the model's labels? Top-1 and top-5; background is none of them. */
  | { readonly kind: 'classification'; readonly labels: LabelNames }
  /** When do actions begin and end in a long video, as `run` reports them? */
  | {
      readonly kind: 'events';
      readonly labels: LabelNames;
      /** The label whose figures stand for the data set, and what its events are called there. */
      readonly headline: { readonly label: string; readonly events: string };
      /** What the times of the truth are worth. */
      readonly toleranceS: number;
    }
  /**
   * Nothing that a model here could know: watched as `run` does for its cost, when it is asked for by name.
   */
  | { readonly kind: 'cost' };

export type LabelNames = Readonly<Record<string, string>>;

/** Data sets by name. A new one is a new entry here; nothing else knows their names. */
export const TASKS: Readonly<Record<string, Task>> = {
  'fight-surv': { kind: 'detection', label: 'fight', positive: ['fight'], negative: ['no_fight'] },
  'ut-interaction': {
    kind: 'choice',
    labels: {
      handshake: 'handshake',
      hug: 'hug',
      kick: 'kick',
      point: 'point',
      punch: 'punch',
      push: 'push',
    },
  },
  'fir-action': {
    kind: 'events',
    labels: { falling: 'fall', walk: 'walk', sitdown: 'sit_down', standup: 'stand_up', lying: 'lie_down' },
    headline: { label: 'fall', events: 'falls' },
    // Labels were mapped from another camera's frames (± 0.3 s), and a fall has no sharp end.
    toleranceS: 1.5,
  },
  cctv: { kind: 'cost' },
  // Signs, not actions: its "walk" is a gesture of the hands.
  'asl-gestures': { kind: 'cost' },
};

/**
 * For data sets that no entry names: labels that models spell otherwise.
 * Spaces, case, `_` and `-` never matter.
 */
export const OTHER_NAMES: LabelNames = { falling: 'fall', lying: 'lie_down' };

/** The task of a data set: its entry, else classification by the names of its labels. */
export function taskOf(dataset: string): Task {
  return TASKS[dataset] ?? { kind: 'classification', labels: OTHER_NAMES };
}
