import type { EpisodeCompute } from '../core/records.ts';
import { DELTA_DECIMALS, MS_DECIMALS, rounded, SCORE_DECIMALS } from './rounded.ts';
import type { ScoredClip } from './types.ts';

/** Sums over clips; for the score, over one label; of δ, the largest. */
export interface Tally {
  readonly clips: number;
  readonly scorePeak: number;
  readonly scoreSum: number;
  readonly keptSteps: number;
  readonly inputSteps: number;
  readonly multiplyAdds: number;
  readonly denseMultiplyAdds: number;
  readonly reusedSteps: number;
  readonly reusedKeptSteps: number;
  readonly reusedMultiplyAdds: number;
  readonly queueMs: number;
  readonly lowerMs: number;
  readonly samplerMs: number;
  readonly upperMs: number;
  /** −1 where the sampler has none. */
  readonly delta: number;
  /** The largest; −1 where none was measured. */
  readonly uncertaintyMs: number;
}

export const EMPTY_TALLY: Tally = {
  clips: 0,
  scorePeak: 0,
  scoreSum: 0,
  keptSteps: 0,
  inputSteps: 0,
  multiplyAdds: 0,
  denseMultiplyAdds: 0,
  reusedSteps: 0,
  reusedKeptSteps: 0,
  reusedMultiplyAdds: 0,
  queueMs: 0,
  lowerMs: 0,
  samplerMs: 0,
  upperMs: 0,
  delta: -1,
  uncertaintyMs: -1,
};

export function tallyOf({ compute, delta = -1, uncertaintyMs = -1 }: ScoredClip, score: number): Tally {
  const { keptSteps, inputSteps, multiplyAdds, denseMultiplyAdds } = compute;
  const { reusedSteps, reusedKeptSteps, reusedMultiplyAdds } = compute;
  const { queueMs, lowerMs, samplerMs, upperMs } = compute;
  const reused = { reusedSteps, reusedKeptSteps, reusedMultiplyAdds };
  const work = { keptSteps, inputSteps, multiplyAdds, denseMultiplyAdds, ...reused };
  return {
    clips: 1,
    scorePeak: score,
    scoreSum: score,
    ...work,
    queueMs,
    lowerMs,
    samplerMs,
    upperMs,
    delta,
    uncertaintyMs,
  };
}

export function addTallies(a: Tally, b: Tally): Tally {
  return {
    clips: a.clips + b.clips,
    scorePeak: Math.max(a.scorePeak, b.scorePeak),
    scoreSum: a.scoreSum + b.scoreSum,
    keptSteps: a.keptSteps + b.keptSteps,
    inputSteps: a.inputSteps + b.inputSteps,
    multiplyAdds: a.multiplyAdds + b.multiplyAdds,
    denseMultiplyAdds: a.denseMultiplyAdds + b.denseMultiplyAdds,
    reusedSteps: a.reusedSteps + b.reusedSteps,
    reusedKeptSteps: a.reusedKeptSteps + b.reusedKeptSteps,
    reusedMultiplyAdds: a.reusedMultiplyAdds + b.reusedMultiplyAdds,
    queueMs: a.queueMs + b.queueMs,
    lowerMs: a.lowerMs + b.lowerMs,
    samplerMs: a.samplerMs + b.samplerMs,
    upperMs: a.upperMs + b.upperMs,
    delta: Math.max(a.delta, b.delta),
    uncertaintyMs: Math.max(a.uncertaintyMs, b.uncertaintyMs),
  };
}

/** The compute receipt: sums over the clips of a tally of at least one, means of their latencies. */
export function receiptOf(tally: Tally, sampler: string, newest: ScoredClip): EpisodeCompute {
  const mean = (sum: number): number => rounded(sum / tally.clips, MS_DECIMALS);
  return {
    sampler,
    ...(tally.delta >= 0 && { delta: rounded(tally.delta, DELTA_DECIMALS) }),
    kept_steps: tally.keptSteps,
    input_steps: tally.inputSteps,
    multiply_adds: tally.multiplyAdds,
    dense_multiply_adds: tally.denseMultiplyAdds,
    reused_steps: tally.reusedSteps,
    reused_kept_steps: tally.reusedKeptSteps,
    reused_multiply_adds: tally.reusedMultiplyAdds,
    saved_ratio: savedRatio(tally),
    latency_ms: {
      queue: mean(tally.queueMs),
      lower: mean(tally.lowerMs),
      sampler: mean(tally.samplerMs),
      upper: mean(tally.upperMs),
      e2e: rounded(newest.processedAtMs - newest.ingestedAtMs, MS_DECIMALS),
    },
    engine: newest.compute.engine,
    device: newest.compute.device,
  };
}

function savedRatio({ multiplyAdds, denseMultiplyAdds }: Tally): number {
  if (denseMultiplyAdds === 0) return 0;
  return rounded(1 - multiplyAdds / denseMultiplyAdds, SCORE_DECIMALS);
}
