import type { Clip, Frame } from '../core/frame.ts';
import type { PixelClip } from '../inference/engine.ts';
import type { SamplerOptions } from '../sampler/types.ts';

export interface PackedClip extends PixelClip {
  /** Id of the clip packed before, where this one and its context show the same, frame by frame. */
  readonly repeats?: string;
}

export interface PackOptions {
  /** Of the engine's `info.reuse`; absent: clips are inferred one by one. */
  readonly contextFrames?: number | undefined;
  /** With which the clips will be scored: says whether still frames count as their reference. */
  readonly sampler: SamplerOptions;
}

/**
 * Makes clips, and the frames that stand before them, into one [T, H, W, 3]
 * block each: the only copy of pixels on the main thread. The block is used
 * again for the next clip: at most one clip of a packer may be in inference.
 */
export function createPixelPacker({ contextFrames, sampler }: PackOptions): (clip: Clip) => PackedClip {
  const shownOf = holdsStill(sampler) && contextFrames !== undefined ? shown : ({ data }: Frame) => data;
  let block = new Uint8Array(0);
  let last: { readonly clipId: string; readonly contents: readonly Uint8Array[] } | undefined;

  /** Pixels of all frames, one after the other. */
  const fill = (contents: readonly Uint8Array[], total: number): Uint8Array => {
    if (block.length < total) block = new Uint8Array(total);
    let end = 0;
    for (const data of contents) {
      block.set(data, end);
      end += data.length;
    }
    return block.subarray(0, total);
  };

  return (clip) => {
    const [first] = clip.frames;
    if (!first) throw new RangeError(`clip ${clip.clipId} holds no frame`);
    const { clipId, framesBefore, segment, streamId } = clip;
    const { width, height } = first;
    const frameBytes = width * height * 3;
    const context = contextFrames ? clip.context.slice(-contextFrames) : [];
    const contents = [...context, ...clip.frames].map(shownOf);
    const repeats = last && areSame(last.contents, contents) ? last.clipId : undefined;
    const total = contents.length * frameBytes;
    const all = repeats === undefined ? fill(contents, total) : block.subarray(0, total);
    last = { clipId, contents };
    const before = all.subarray(0, context.length * frameBytes);
    return {
      ...{ clipId, frames: clip.frames.length, height, width, data: all.subarray(before.length) },
      ...(contextFrames !== undefined && {
        stream: { id: streamId, segment, firstFrame: framesBefore, before },
      }),
      ...(repeats !== undefined && { repeats }),
    };
  };
}

/** Only our own sampler adapts to what the camera sees; the others see every frame as it is. */
function holdsStill(sampler: SamplerOptions): boolean {
  return sampler.kind === 'ordered' && sampler.still !== 'compute';
}

function shown({ still, data }: Frame): Uint8Array {
  return still ?? data;
}

/** Frames are read-only, so the same memory shows the same. */
function areSame(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((data, i) => data === b[i]);
}
