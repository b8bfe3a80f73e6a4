import { decisionShare, heldShare, standAlone, type ScoredLabels } from '../../core/decisions.ts';
import { groupBy } from '../../core/group-by.ts';
import { bootstrapInterval } from './bootstrap.ts';

/** What one network says of one window, with all steps or with those that it keeps. */
export interface ScoredRun extends ScoredLabels {
  readonly keptSteps: number;
  readonly inputSteps: number;
  /** As if the window stood alone. */
  readonly multiplyAdds: number;
  readonly ms: number;
}

/** A window scored both ways; windows of one block see the same frames in part, and fail together. */
export interface ComparedWindow {
  readonly block: string;
  readonly dense: ScoredRun;
  readonly sampled: ScoredRun;
}

/** How far a sampled network says what the dense one does. No label is needed for it. */
export interface Agreement {
  readonly windows: number;
  /** Share of windows whose best label is the same. */
  readonly top1: number;
  /** Share of (window, label) pairs on the same side of the label's threshold. */
  readonly decisions: number;
  readonly mean_abs_score: number;
  /**
   * Mean divergence of the sampled scores from the dense ones, in nats; of
   * labels that stand for themselves, added up.
   */
  readonly kl: number;
  readonly kept_ratio: number;
  readonly multiply_adds_ratio: number;
  readonly time_ratio: number;
}

/** @param thresholds one a label */
export function agreementOf(windows: readonly ComparedWindow[], thresholds: readonly number[]): Agreement {
  const total = (value: (window: ComparedWindow) => number): number =>
    windows.reduce((sum, window) => sum + value(window), 0);
  const mean = (value: (window: ComparedWindow) => number): number => total(value) / windows.length;
  const ratio = (value: (run: ScoredRun) => number): number =>
    total(({ sampled }) => value(sampled)) / total(({ dense }) => value(dense));
  return {
    windows: windows.length,
    top1: mean(({ dense, sampled }) => (largest(dense.scores) === largest(sampled.scores) ? 1 : 0)),
    decisions: mean((window) => decisionShare(window.dense, window.sampled, thresholds)),
    mean_abs_score: mean(({ dense, sampled }) => meanDifference(dense.scores, sampled.scores)),
    kl: mean(({ dense, sampled }) => divergence(dense, sampled)),
    kept_ratio: total(({ sampled }) => sampled.keptSteps) / total(({ sampled }) => sampled.inputSteps),
    multiply_adds_ratio: ratio(({ multiplyAdds }) => multiplyAdds),
    time_ratio: ratio(({ ms }) => ms),
  };
}

/** Share of decisions that agree; under softmax a window is one decision. */
export function heldDecisions(windows: readonly ComparedWindow[], thresholds: readonly number[]): number {
  return meanOf(windows.map(({ dense, sampled }) => heldShare(dense, sampled, thresholds)));
}

/**
 * The lower end of a 95 % interval of `heldDecisions`, by drawing whole blocks with
 * replacement. To those seen one block is added in which one decision more
 * differs than in the worst: so few blocks that all agree are no proof.
 */
export function decisionsAtLeast(
  windows: readonly ComparedWindow[],
  thresholds: readonly number[],
  seed: number,
): number {
  const shares = Array.from(
    groupBy(windows, ({ block }) => block),
    ([group, block]) => ({ group, share: heldDecisions(block, thresholds) }),
  );
  const one = 1 / decisionsPerWindow(windows, thresholds);
  const worst = Math.max(0, Math.min(...shares.map(({ share }) => share)) - one);
  const drawn = [...shares, { group: 'one more', share: worst }];
  const [low = 0] =
    bootstrapInterval(drawn, (sample) => meanOf(sample.map(({ share }) => share)), { seed }) ?? [];
  return Math.min(low, meanOf(shares.map(({ share }) => share)));
}

/**
 * Blocks that must all agree before `decisionsAtLeast` reaches a share: of n blocks drawn with replacement
 * the added one comes at most 3 times in 97.5 % of draws (Poisson). Infinite for a share of 1.
 */
export function blocksNeeded(
  share: number,
  windows: readonly ComparedWindow[],
  thresholds: readonly number[],
): number {
  return Math.ceil(3 / ((1 - share) * decisionsPerWindow(windows, thresholds)));
}

function decisionsPerWindow(windows: readonly ComparedWindow[], thresholds: readonly number[]): number {
  return windows.every(({ dense }) => standAlone(dense)) ? thresholds.length : 1;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function largest(scores: ArrayLike<number>): number {
  let best = 0;
  for (let label = 1; label < scores.length; label += 1) {
    if ((scores[label] ?? 0) > (scores[best] ?? 0)) best = label;
  }
  return best;
}

function meanDifference(dense: ArrayLike<number>, sampled: ArrayLike<number>): number {
  return Array.from(dense).reduce((sum, p, i) => sum + Math.abs(p - (sampled[i] ?? 0)), 0) / dense.length;
}

/** Below it a probability says nothing more. */
const LEAST = 1e-9;

/** Of the whole distribution where scores are one (softmax); else of each label's yes and no. */
function divergence(dense: ScoredRun, sampled: ScoredRun): number {
  const term = (p: number, q: number): number =>
    p <= 0 ? 0 : p * Math.log(Math.max(p, LEAST) / Math.max(q, LEAST));
  const each = standAlone(dense);
  return Array.from(dense.scores).reduce((sum, p, label) => {
    const q = sampled.scores[label] ?? 0;
    return sum + term(p, q) + (each ? term(1 - p, 1 - q) : 0);
  }, 0);
}
