/** Which frames of a stream have the same content. */
export interface FrameContents {
  /** Number of the first frame that is known, counted from the segment's start. */
  readonly from: number;
  /** A number a frame: equal where the content is. */
  readonly numbers: readonly number[];
  /** A copy of the frame that the last number stands for. */
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
 * Numbers the contents of frames `from`, `from` + 1, …; those that `known` holds keep their numbers.
 * A new frame that differs from the one shown last by no more than `threshold` (mean absolute
 * difference of its bytes; 0: not at all) takes that one's number: it is compared with what was
 * shown, not with its neighbour, so a slow drift adds up. Numbers grow as long as `known` is passed
 * on, so one never stands for two contents.
 */
export function numberFrames(
  known: FrameContents | undefined,
  { from, pixels, frames, sameSegment }: SeenFrames,
  threshold = 0,
): FrameContents {
  const frameBytes = pixels.length / frames;
  const offset = known && sameSegment && from >= known.from ? from - known.from : Infinity;
  const numbers = known?.numbers.slice(offset, offset + frames) ?? [];
  let shown = known?.shown;
  let last = known?.numbers.at(-1) ?? -1;
  for (let i = numbers.length; i < frames; i += 1) {
    const frame = pixels.subarray(i * frameBytes, (i + 1) * frameBytes);
    if (!shown || !isSame(frame, shown, threshold)) {
      shown = frame;
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
