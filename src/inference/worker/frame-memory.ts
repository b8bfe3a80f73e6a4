import type { PixelClip } from '../engine.ts';
import type { SentPlace } from './sent-frames.ts';

/** The inference process's side of sent-frames.ts: the frames of each stream's last clip. */
export interface FrameMemory {
  /**
   * The whole clip: what came along is read into place, the rest is here. Undefined where it is
   * not: everything must be sent. The pixels are this memory's own and change with the stream's
   * next clip.
   */
  restore(clip: Omit<PixelClip, 'data' | 'stream'>, place: SentPlace): PixelClip | undefined;
  forget(streamId: string): void;
}

export interface FrameMemoryOptions {
  /** Frames before a clip that may belong to it. */
  readonly contextFrames: number;
  readonly maxStreams: number;
  /** Fills `pixels` with what came along. */
  readonly read: (pixels: Uint8Array) => void;
}

export function createFrameMemory({ contextFrames, maxStreams, read }: FrameMemoryOptions): FrameMemory {
  /** In the order in which they were last seen. */
  const streams = new Map<string, Remembered>();
  return {
    restore(clip, { id, segment, firstFrame, contextFrames: context, sentFrom }) {
      const size = clip.height * clip.width * 3;
      const from = firstFrame - context;
      const end = firstFrame + clip.frames;
      const last = streams.get(id);
      // Out while it is being changed: should reading fail, nothing half changed is left.
      streams.delete(id);
      const held = sentFrom - from;
      if (held > 0 && !(last && last.segment === segment && last.from <= from && sentFrom <= last.end))
        return undefined;
      const bytes = (contextFrames + clip.frames) * size;
      const pixels = last?.pixels.length === bytes ? last.pixels : new Uint8Array(bytes);
      if (last && held > 0) pixels.copyWithin(0, (from - last.from) * size, (sentFrom - last.from) * size);
      read(pixels.subarray(held * size, (end - from) * size));
      streams.set(id, { segment, from, end, pixels });
      const [oldest] = streams.keys();
      if (streams.size > maxStreams && oldest !== undefined) streams.delete(oldest);
      const before = pixels.subarray(0, context * size);
      const data = pixels.subarray(context * size, (end - from) * size);
      return { ...clip, data, stream: { id, segment, firstFrame, before } };
    },
    forget: (id) => {
      streams.delete(id);
    },
  };
}

/** Frames [from, end) of a segment. */
interface Remembered {
  readonly segment: number;
  readonly from: number;
  readonly end: number;
  readonly pixels: Uint8Array;
}
