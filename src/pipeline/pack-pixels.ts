import type { Clip, Frame } from '../core/frame.ts';
import type { PixelClip } from '../inference/engine.ts';

/**
 * Makes clips, and the frames that stand before them, into one [T, H, W, 3]
 * block each: the only copy of pixels on the main thread. The block is used
 * again for the next clip: at most one clip of a packer may be in inference.
 *
 * @param contextFrames of the engine's `info.reuse`; absent: clips are inferred one by one
 */
export function createPixelPacker(contextFrames?: number): (clip: Clip) => PixelClip {
  let block = new Uint8Array(0);
  const fill = (frames: readonly Frame[], frameBytes: number): Uint8Array => {
    const total = frames.length * frameBytes;
    if (block.length < total) block = new Uint8Array(total);
    frames.forEach((frame, index) => {
      block.set(frame.data, index * frameBytes);
    });
    return block.subarray(0, total);
  };
  return (clip) => {
    const [first] = clip.frames;
    if (!first) throw new RangeError(`clip ${clip.clipId} holds no frame`);
    const { clipId, framesBefore, segment, streamId } = clip;
    const { width, height } = first;
    const pixels = { clipId, frames: clip.frames.length, height, width };
    const frameBytes = width * height * 3;
    if (contextFrames === undefined) return { ...pixels, data: fill(clip.frames, frameBytes) };
    const context = contextFrames === 0 ? [] : clip.context.slice(-contextFrames);
    const all = fill([...context, ...clip.frames], frameBytes);
    const before = all.subarray(0, context.length * frameBytes);
    return {
      ...pixels,
      data: all.subarray(before.length),
      stream: { id: streamId, segment, firstFrame: framesBefore, before },
    };
  };
}
