/** The compute receipt of one inference, as figures need it. */
export interface Work {
  readonly keptSteps: number;
  readonly inputSteps: number;
  readonly multiplyAdds: number;
  readonly denseMultiplyAdds: number;
  /** Not spent, because an overlapping window of the clip or video had paid for them. */
  readonly reusedMultiplyAdds: number;
  /** All stages of the engine. */
  readonly ms: number;
}

/** A labelled clip and what the model says of it. */
export interface ScoredExample {
  /** What must stay together when samples are drawn: a camera, a video. */
  readonly group: string;
  /** Model labels that are true of it, by index. */
  readonly truth: readonly number[];
  /** One a model label, the mean over its windows. */
  readonly scores: readonly number[];
}

/** An action of a known kind over [startS, endS), seconds from the first frame. */
export interface TimedAction {
  /** Model label, by index. */
  readonly labelId: number;
  readonly startS: number;
  readonly endS: number;
}

/** A long video: what happens in it and what was reported. */
export interface WatchedExample {
  readonly group: string;
  readonly durationS: number;
  readonly truth: readonly TimedAction[];
  readonly found: readonly TimedAction[];
}
