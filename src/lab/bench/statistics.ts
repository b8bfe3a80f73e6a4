import { median } from '../../core/median.ts';
import type { Sample } from './types.ts';

/** A sample counts as quiet while other programs use no more of the machine than this. */
const QUIET_CORES = 0.15;
const FEWEST_QUIET = 3;

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** 0 where there is nothing. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The samples taken while the machine was otherwise quiet; all of them where those are fewer than three. */
export function quietSamples<S extends Sample>(samples: readonly S[]): readonly S[] {
  const quiet = samples.filter(({ othersCores }) => othersCores <= QUIET_CORES);
  return quiet.length >= FEWEST_QUIET ? quiet : samples;
}

export function medianMs(samples: readonly Sample[]): number {
  return median(quietSamples(samples).map(({ ms }) => ms));
}
