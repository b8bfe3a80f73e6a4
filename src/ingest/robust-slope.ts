/**
 * Slope of the line through points, as the median of the slopes of all pairs
 * (Theil–Sen): a few outliers change nothing.
 */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points.flatMap(([x0, y0], index) =>
    points.slice(index + 1).flatMap(([x1, y1]) => (x1 === x0 ? [] : [(y1 - y0) / (x1 - x0)])),
  );
  slopes.sort((a, b) => a - b);
  const middle = slopes.length / 2;
  const upper = slopes[Math.floor(middle)] ?? 0;
  return Number.isInteger(middle) ? (upper + (slopes[middle - 1] ?? upper)) / 2 : upper;
}
