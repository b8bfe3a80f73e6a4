import { unite, type Region } from '../core/region.ts';
import { combine, totalsOf, type MeasurementTotals } from './receipt.ts';
import type { ScoredClip } from './types.ts';

/** Sums over some clips; of the score, over one label. */
export interface ClipSums {
  readonly clips: number;
  readonly scorePeak: number;
  readonly scoreSum: number;
  /** The largest that was measured. */
  readonly uncertaintyMs: number | undefined;
  /** Around what moved. */
  readonly region: Region | undefined;
  readonly totals: MeasurementTotals;
}

export const NO_CLIPS: ClipSums = {
  clips: 0,
  scorePeak: 0,
  scoreSum: 0,
  uncertaintyMs: undefined,
  region: undefined,
  totals: {},
};

export function sumsOf(clip: ScoredClip, score: number): ClipSums {
  const { uncertaintyMs } = clip;
  const region = clip.region?.();
  return { clips: 1, scorePeak: score, scoreSum: score, uncertaintyMs, region, totals: totalsOf(clip) };
}

export function addSums(a: ClipSums, b: ClipSums): ClipSums {
  return {
    clips: a.clips + b.clips,
    scorePeak: Math.max(a.scorePeak, b.scorePeak),
    scoreSum: a.scoreSum + b.scoreSum,
    uncertaintyMs: largest(a.uncertaintyMs, b.uncertaintyMs),
    region: unite(a.region, b.region),
    totals: combine(a.totals, b.totals),
  };
}

function largest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
