import type { Frame } from '../core/frame.ts';
import { createCameraNoise, type CameraNoise } from './camera-noise.ts';

/** Recognises frames that show nothing new. */
export interface StillFrames {
  /** The next frame of the stream; with `still` where it shows what an earlier one showed. */
  follow(frame: Frame): Frame;
}

/** No frame stands for later ones longer than this: slow changes of light are seen by then. */
export const LONGEST_STILL_MS = 60_000;

/**
 * Compares each frame with a reference frame. One that differs by no more than the camera's noise is
 * still: the reference stands for it. Any other frame becomes the reference. Frames are never compared
 * with the one before, so slow changes add up. A reference ends with its segment, and after
 * LONGEST_STILL_MS. The noise stays known over segments.
 *
 * A frame's `still` is a function of the stream's frames up to it, whatever becomes of its clips.
 */
export function createStillFrames(): StillFrames {
  let reference: Frame | undefined;
  let noise: CameraNoise | undefined;
  return {
    follow(frame) {
      noise ??= createCameraNoise(frame);
      const known = reference;
      const follows = known?.segment === frame.segment && frame.ptsUs - known.ptsUs < LONGEST_STILL_MS * 1000;
      if (follows && noise.covers(frame.data, known.data)) return { ...frame, still: known.data };
      reference = frame;
      return frame;
    },
  };
}
