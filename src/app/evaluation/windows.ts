/**
 * First frames of the windows that are scored of a clip of `available` frames. As many as asked for, spread evenly
 * from its beginning to its end; else about half a window apart, the last one at the end, so that every frame is seen. One
 * window lies in the middle. A clip no longer than a window has one, from its first frame.
 */
export function windowStarts(available: number, frames: number, clips?: number): readonly number[] {
  const free = Math.max(0, available - frames);
  const count = clips ?? 1 + Math.round(free / (frames / 2));
  if (count === 1) return [Math.floor(free / 2)];
  const starts = Array.from({ length: count }, (_, index) => Math.round((index * free) / (count - 1)));
  return [...new Set(starts)];
}
