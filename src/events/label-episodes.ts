import type { EndReason, EpisodeState } from '../core/records.ts';
import type { ClipWindow } from './clip-window.ts';
import { addSums, NO_CLIPS, sumsOf, type ClipSums } from './clip-sums.ts';
import type { EpisodePolicy, ScoredClip } from './types.ts';

/** What a label's episode looks like at one of its changes. */
export interface EpisodeChange {
  readonly state: EpisodeState;
  readonly endReason?: EndReason;
  readonly sequence: number;
  readonly onset: Moment;
  /** End of the last window in which the action was seen. */
  readonly extent: Moment;
  readonly segment: number;
  /** Over the clips from onset to extent. */
  readonly sums: ClipSums;
  readonly lastScore: number;
}

const TOLERANCE_MS = 0.5;

interface Moment {
  readonly ms: number;
  readonly us: number;
}

/**
 * The episodes of one label on one stream. Smoothed scores decide whether there is
 * an episode, raw scores when: a run of raw scores ≥ on that lifts the smoothed
 * score to on began at its first clip, and ended with the last raw score ≥ off.
 *
 * - *idle*: nothing seen, or cooling down after an end. A raw score ≥ on → rising.
 * - *rising*: raw scores ≥ on, smoothed still below. Smoothed ≥ on → running. A
 *   raw score below on → idle, nothing published.
 * - *running*: lasts while the smoothed score is ≥ off, and through dips no longer than
 *   the merge gap. `started` is published once onset to extent reaches the minimum
 *   duration, then `updated`. A longer dip ends it at its extent, and so does the
 *   maximum duration. An episode that ends before it was published was never there.
 * - *any*: time longer than the merge gap that no clip covers ends what is open, at the end of the last clip
 *   (`not_watched`): nobody can say that the action went on.
 *
 * Only scores and times decide. How many steps a clip kept ends nothing. Times are sums of doubles,
 * so they are compared with half a millisecond of tolerance: published times are whole milliseconds.
 */
export class LabelEpisodes {
  readonly #policy: EpisodePolicy;
  #smoothed: number | undefined;
  #run: Run | undefined;
  #lastEndMs = -Infinity;

  constructor(policy: EpisodePolicy) {
    this.#policy = policy;
  }

  /** True from `started` to `ended`. */
  get open(): boolean {
    return this.#run !== undefined && this.#run.published > 0;
  }

  /** No clip covers the last `unseenMs` before the next clip. `last` is the clip before. */
  skip(unseenMs: number, last: ScoredClip): readonly EpisodeChange[] {
    if (unseenMs <= this.#policy.mergeGapMs + TOLERANCE_MS) return [];
    return this.close('not_watched', last);
  }

  /** Takes the next clip of the segment. */
  observe(clip: ScoredClip, window: ClipWindow, score: number): readonly EpisodeChange[] {
    const before = this.#smoothed ?? score;
    this.#smoothed = before + this.#policy.smoothing * (score - before);
    const observation = { clip, window, score, smoothed: this.#smoothed };
    return this.#run?.confirmed === true ? this.#continue(this.#run, observation) : this.#rise(observation);
  }

  /** Ends what is open; the next clip does not follow on `last`. */
  close(reason: EndReason, last: ScoredClip): readonly EpisodeChange[] {
    const run = this.#run;
    this.#smoothed = undefined;
    if (!run) return [];
    // The last clip before a break also speaks for what comes after its middle:
    // that may make an episode long enough.
    if (run.trailing.clips === 0) run.extent = { ms: last.endMs, us: last.endUs };
    const started = run.confirmed ? this.#start(run) : [];
    return [...started, ...this.#end(run, reason)];
  }

  #rise(observation: Observation): readonly EpisodeChange[] {
    const { on, cooldownMs } = this.#policy;
    const { window, clip } = observation;
    const sinceEndMs = window.startMs - this.#lastEndMs;
    // A clock that stepped back by a lot does not leave the label silent until it has caught up.
    const cooling = sinceEndMs >= -TOLERANCE_MS && sinceEndMs < cooldownMs - TOLERANCE_MS;
    if (observation.score < on || cooling) {
      this.#run = undefined;
      return [];
    }
    this.#run ??= newRun(window, clip.segment);
    resume(this.#run, observation);
    if (observation.smoothed < on) return [];
    this.#run.confirmed = true;
    return this.#publish(this.#run, observation);
  }

  #continue(run: Run, observation: Observation): readonly EpisodeChange[] {
    const { off, mergeGapMs } = this.#policy;
    const alive = observation.smoothed >= off;
    if (alive && observation.score >= off) {
      resume(run, observation);
      return this.#publish(run, observation);
    }
    run.lastScore = observation.score;
    run.trailing = addSums(run.trailing, sumsOf(observation.clip, observation.score));
    if (alive) run.aliveUntilMs = observation.window.endMs;
    if (observation.window.endMs - run.aliveUntilMs <= mergeGapMs + TOLERANCE_MS)
      return this.#publish(run, observation);
    // The clip that ends one run may begin the next.
    return [...this.#end(run, 'below_threshold'), ...this.#rise(observation)];
  }

  /** `started`, `updated` or nothing, and the end of what lasts too long. */
  #publish(run: Run, { window }: Observation): readonly EpisodeChange[] {
    const ends = run.extent.ms - run.onset.ms >= this.#policy.maxDurationMs - TOLERANCE_MS;
    const due = window.endMs - run.publishedAtMs >= this.#policy.updateIntervalMs - TOLERANCE_MS;
    const started = this.#start(run);
    const updated = run.published > started.length && due && !ends ? [changeOf(run, 'updated')] : [];
    if (started.length + updated.length > 0) run.publishedAtMs = window.endMs;
    return [...started, ...updated, ...(ends ? this.#end(run, 'max_duration') : [])];
  }

  #start(run: Run): readonly EpisodeChange[] {
    const longEnough = run.extent.ms - run.onset.ms >= this.#policy.minDurationMs - TOLERANCE_MS;
    return run.published === 0 && longEnough ? [changeOf(run, 'started')] : [];
  }

  #end(run: Run, reason: EndReason): readonly EpisodeChange[] {
    this.#run = undefined;
    if (run.published === 0) return [];
    this.#lastEndMs = run.extent.ms;
    return [{ ...changeOf(run, 'ended'), endReason: reason }];
  }
}

interface Observation {
  readonly clip: ScoredClip;
  readonly window: ClipWindow;
  readonly score: number;
  readonly smoothed: number;
}

interface Run {
  readonly onset: Moment;
  readonly segment: number;
  extent: Moment;
  sums: ClipSums;
  /** Clips since the extent: part of the episode only if the action comes back. */
  trailing: ClipSums;
  lastScore: number;
  /** The smoothed score has reached on. */
  confirmed: boolean;
  aliveUntilMs: number;
  /** Events so far: the next sequence. */
  published: number;
  publishedAtMs: number;
}

function newRun(window: ClipWindow, segment: number): Run {
  const onset = { ms: window.startMs, us: window.startUs };
  return {
    onset,
    segment,
    extent: onset,
    sums: NO_CLIPS,
    trailing: NO_CLIPS,
    lastScore: 0,
    confirmed: false,
    aliveUntilMs: window.startMs,
    published: 0,
    publishedAtMs: window.startMs,
  };
}

/** The action is seen in this clip: the episode reaches to the end of its window. */
function resume(run: Run, { clip, window, score }: Observation): void {
  run.sums = addSums(addSums(run.sums, run.trailing), sumsOf(clip, score));
  run.trailing = NO_CLIPS;
  run.extent = { ms: window.endMs, us: window.endUs };
  run.aliveUntilMs = window.endMs;
  run.lastScore = score;
}

function changeOf(run: Run, state: EpisodeState): EpisodeChange {
  const { onset, extent, segment, sums, lastScore } = run;
  const sequence = run.published;
  run.published += 1;
  return { state, sequence, onset, extent, segment, sums, lastScore };
}
