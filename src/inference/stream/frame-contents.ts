/** Which frames of a stream show the same frame. */
export interface FrameContents {
  /** Number of the first frame that is known, counted from the segment's start. */
  readonly from: number;
  /** A number a frame: equal where the picture is. */
  readonly numbers: readonly number[];
  /** A copy of the picture that the last number stands for. */
  readonly shown: Uint8Array;
}

interface SeenFrames {
  /** [frames, h, w, 3] */
  readonly pixels: Uint8Array;
  readonly frames: number;
  /** Number of the first one, counted from its segment's start. */
  readonly from: number;
  /** True where that is the segment of what is known. */
  readonly sameSegment: boolean;
}

/**
 * Numbers the frames of frames `from`, `from` + 1, …; those that `known` holds keep their numbers.
 * A new frame that differs from the one shown last by no more than `threshold` (mean absolute
 * difference of its bytes; 0: not at all) takes that one's number: it is compared with what was
 * shown, not with its neighbour, so a slow drift adds up. Numbers grow as long as `known` is passed
 * on, so one never stands for two frames.
 */
export function numberFrames(
  known: FrameContents | undefined,
  { from, pixels, frames, sameSegment }: SeenFrames,
  threshold = 0,
): FrameContents {
  const pictureSize = pixels.length / frames;
  const offset = known && sameSegment && from >= known.from ? from - known.from : Infinity;
  const numbers = known?.numbers.slice(offset, offset + frames) ?? [];
  let shown = known?.shown;
  let last = known?.numbers.at(-1) ?? -1;
  for (let i = numbers.length; i < frames; i += 1) {
    const picture = pixels.subarray(i * pictureSize, (i + 1) * pictureSize);
    if (!shown || !isSame(picture, shown, threshold)) {
      shown = picture;
      last += 1;
    }
    numbers.push(last);
  }
  // The caller's pixels may change once it has them back.
  return { from, numbers, shown: shown === known?.shown ? shown! : shown!.slice() };
}

function isSame(a: Uint8Array, b: Uint8Array, threshold: number): boolean {
  if (Buffer.compare(a, b) === 0) return true;
  if (threshold === 0) return false;
  const most = threshold * a.length;
  let sum = 0;
  for (let i = 0; i < a.length && sum <= most; i += 1) sum += Math.abs(a[i]! - b[i]!);
  return sum <= most;
}
