/** [low, high] */
export type Interval = readonly [low: number, high: number];

/** 97.5 % quantile of the normal distribution. */
const Z = 1.959963984540054;

/**
 * Wilson's 95 % interval of a proportion of `trials` > 0: honest for small numbers and near 0 and 1. Neither
 * number need be whole (an effective sample size is not).
 */
export function wilsonInterval(successes: number, trials: number): Interval {
  const share = successes / trials;
  const spread = Z ** 2 / trials;
  const centre = (share + spread / 2) / (1 + spread);
  const half = (Z / (1 + spread)) * Math.sqrt((share * (1 - share)) / trials + spread / (4 * trials));
  return [successes === 0 ? 0 : centre - half, successes === trials ? 1 : centre + half];
}
