import type { Frame } from '../../core/frame.ts';
import type { PixelClip } from '../../inference/engine.ts';

/** Where a square view lies in a frame, pixels. */
export interface View {
  readonly left: number;
  readonly top: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The frame itself where it has the size of the view; else its beginning,
 * middle and end along the longer side.
 */
export function viewsOf(frame: Size, view: Size): readonly View[] {
  const [right, bottom] = [frame.width - view.width, frame.height - view.height];
  if (right === 0 && bottom === 0) return [{ left: 0, top: 0 }];
  return [0, 0.5, 1].map((share) => ({ left: Math.round(share * right), top: Math.round(share * bottom) }));
}

/** The size at which a frame's shorter side is as long as the view's. */
export function sizeForViews(frame: Size, view: Size): Size {
  const scale = Math.max(view.width / frame.width, view.height / frame.height);
  return {
    width: Math.max(view.width, Math.round(frame.width * scale)),
    height: Math.max(view.height, Math.round(frame.height * scale)),
  };
}

/**
 * A view of `length` frames from `first` on; past the end the last one repeats,
 * as windows of `run` are padded.
 */
export function cutWindow(
  frames: readonly Frame[],
  {
    first,
    length,
    view,
    size,
  }: { readonly first: number; readonly length: number; readonly view: View; readonly size: Size },
): PixelClip {
  const { width, height } = size;
  const data = new Uint8Array(length * height * width * 3);
  for (let index = 0; index < length; index += 1) {
    const frame = frames[Math.min(first + index, frames.length - 1)];
    if (!frame) throw new RangeError('a window holds at least one frame');
    for (let row = 0; row < height; row += 1) {
      const from = ((view.top + row) * frame.width + view.left) * 3;
      data.set(frame.data.subarray(from, from + width * 3), (index * height + row) * width * 3);
    }
  }
  return {
    clipId: `${frames[0]?.streamId ?? ''}/${first}/${view.left},${view.top}`,
    frames: length,
    height,
    width,
    data,
  };
}
