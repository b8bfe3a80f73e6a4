import type { Clip } from '../core/frame.ts';
import type { PixelClip } from '../inference/engine.ts';

/**
 * Makes clips into one [T, H, W, 3] block each: the only copy of pixels on the main thread. The
 * block is used again for the next clip: at most one clip of a packer may be in inference.
 */
export function createPixelPacker(): (clip: Clip) => PixelClip {
  let block = new Uint8Array(0);
  return (clip) => {
    const [first] = clip.frames;
    if (!first) throw new RangeError(`clip ${clip.clipId} holds no frame`);
    const { width, height } = first;
    const bytes = width * height * 3;
    const total = clip.frames.length * bytes;
    if (block.length !== total) block = new Uint8Array(total);
    clip.frames.forEach((frame, index) => {
      block.set(frame.data, index * bytes);
    });
    return { clipId: clip.clipId, frames: clip.frames.length, height, width, data: block };
  };
}
