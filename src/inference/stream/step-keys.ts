import type { FrameContents } from './frame-contents.ts';
import type { StreamGeometry } from './geometry.ts';

/**
 * What each step of a clip sees, spelt out: the numbers of the pictures in its temporal receptive field, `s` for a frame
 * before the segment's start, `e` for one after the clip's end (both are padding there). Steps with equal keys have equal
 * features: padding is a matter of where a step lies, and the picture of what.
 *
 * @param firstFrame of the clip, counted from the segment's start; all that lie before and may be seen are in `contents`
 */
export function stepKeys(
  { jump, low, high, frames, steps }: StreamGeometry,
  { from, numbers }: FrameContents,
  firstFrame: number,
): readonly string[] {
  const end = firstFrame + frames;
  return Array.from({ length: steps }, (_, step) => {
    const start = firstFrame + step * jump + low;
    const seen = Array.from({ length: high - low + 1 }, (_unused, i) => {
      const frame = start + i;
      if (frame < 0) return 's';
      return frame < end ? numbers[frame - from] : 'e';
    });
    return seen.join(' ');
  });
}
