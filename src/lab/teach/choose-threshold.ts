/** A clip's score, and whether it shows the label. */
export interface Judged {
  readonly score: number;
  readonly positive: boolean;
}

/** Where nothing says better. */
export const MIDDLE = 0.5;
/** Thresholds that are tried: finer than clips can tell apart would be chance. */
const TRIED = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);

/**
 * The threshold with the largest correlation of decision and truth (Matthews): as many right decisions
 * as possible where both kinds are equally many, and neither alarms nor misses at the cost of the
 * other where one is rare. Of equals the one nearest the middle.
 */
export function chooseThreshold(judged: readonly Judged[]): number {
  let best = { threshold: MIDDLE, correlation: correlationAt(judged, MIDDLE) };
  for (const threshold of TRIED.toSorted((a, b) => Math.abs(a - MIDDLE) - Math.abs(b - MIDDLE))) {
    const correlation = correlationAt(judged, threshold);
    if (correlation > best.correlation + 1e-9) best = { threshold, correlation };
  }
  return best.threshold;
}

/** Of the 2×2 table; 0 where a row or column is empty. */
function correlationAt(judged: readonly Judged[], threshold: number): number {
  const count = (positive: boolean, reported: boolean): number =>
    judged.filter((one) => one.positive === positive && one.score >= threshold === reported).length;
  const [tp, fp, fn, tn] = [count(true, true), count(false, true), count(true, false), count(false, false)];
  const margins = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn);
  return margins === 0 ? 0 : (tp * tn - fp * fn) / Math.sqrt(margins);
}
