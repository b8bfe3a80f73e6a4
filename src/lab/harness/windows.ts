/**
 * First frames of windows spread over a clip of `available` frames, as published protocols
 * ask for them: so many, evenly from its beginning to its end; where none says how many,
 * about half a window apart. The last lies at the end, so that every frame is seen; one
 * alone lies in the middle. A clip no longer than a window has one, from its first frame.
 */
export function spreadWindows(available: number, frames: number, clips?: number): readonly number[] {
  const free = Math.max(0, available - frames);
  const count = clips ?? 1 + Math.round(free / (frames / 2));
  if (count === 1) return [Math.floor(free / 2)];
  const starts = Array.from({ length: count }, (_, index) => Math.round((index * free) / (count - 1)));
  return [...new Set(starts)];
}
