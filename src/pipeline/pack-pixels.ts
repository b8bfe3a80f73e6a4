import type { Clip } from '../core/frame.ts';
import type { PixelClip } from '../inference/engine.ts';

/**
 * The clip's frames as one [T, H, W, 3] block: the only copy of pixels on the main thread. The block is the engine's to
 * take (a worker engine transfers it).
 */
export function packPixels(clip: Clip): PixelClip {
  const [first] = clip.frames;
  if (!first) throw new RangeError(`clip ${clip.clipId} holds no frame`);
  const { width, height } = first;
  const bytes = width * height * 3;
  const data = new Uint8Array(clip.frames.length * bytes);
  clip.frames.forEach((frame, index) => {
    data.set(frame.data, index * bytes);
  });
  return { clipId: clip.clipId, frames: clip.frames.length, height, width, data };
}
