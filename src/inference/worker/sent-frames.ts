import type { PixelClip, StreamPlace } from '../engine.ts';

/** A clip's place in its stream, and which of its frames come along: the rest has been sent before. */
export interface SentPlace extends Omit<StreamPlace, 'before'> {
  /** Frames of the segment before the clip that belong to it. */
  readonly contextFrames: number;
  /** Of the clip and its context, the first frame that comes along, counted from the segment's start. */
  readonly sentFrom: number;
  /** True where nothing that was sent of this stream before counts any more. */
  readonly fresh: boolean;
}

export interface Payload {
  readonly place?: SentPlace;
  /** Pixels that go, one after the other. */
  readonly parts: readonly Uint8Array[];
}

/** What an inference process has been sent of each stream, as far as it is known to have arrived. */
export interface SentFrames {
  /** What of the clip to send. Until `confirm`, what is known of its stream is void. */
  pack(clip: PixelClip): Payload;
  /** All that was packed of the clip has arrived. */
  confirm(clip: PixelClip): void;
  /** Forgets a stream: all of its next clip is sent. */
  forget(streamId: string): void;
}

/** Streams whose position is remembered; a stream forgotten here only sends more. */
const REMEMBERED = 4096;

export function createSentFrames(): SentFrames {
  const streams = new Map<string, Span>();

  const pack = (clip: PixelClip): Payload => {
    if (!clip.stream) return { parts: [clip.data] };
    const { before, ...place } = clip.stream;
    const span = spanOf(clip, clip.stream);
    const known = streams.get(place.id);
    streams.delete(place.id);
    const continues =
      known?.segment === span.segment &&
      known.from <= span.from &&
      span.from <= known.end &&
      known.end < span.end;
    const sentFrom = continues ? known.end : span.from;
    const contextFrames = place.firstFrame - span.from;
    const parts = [before, clip.data];
    return {
      place: { ...place, contextFrames, sentFrom, fresh: known === undefined },
      parts: continues ? skip(parts, (sentFrom - span.from) * frameSize(clip)) : parts,
    };
  };

  return {
    pack,
    confirm(clip) {
      if (!clip.stream) return;
      streams.set(clip.stream.id, spanOf(clip, clip.stream));
      const [oldest] = streams.keys();
      if (streams.size > REMEMBERED && oldest !== undefined) streams.delete(oldest);
    },
    forget: (id) => {
      streams.delete(id);
    },
  };
}

/** Frames of a segment, [from, end). */
interface Span {
  readonly segment: number;
  readonly from: number;
  readonly end: number;
}

function spanOf(clip: PixelClip, { segment, firstFrame, before }: StreamPlace): Span {
  const from = firstFrame - before.length / frameSize(clip);
  return { segment, from, end: firstFrame + clip.frames };
}

function frameSize({ height, width }: PixelClip): number {
  return height * width * 3;
}

/** All but the first `count` bytes of the parts. */
function skip(parts: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  return parts.map((part) => {
    const skipped = Math.min(left, part.length);
    left -= skipped;
    return part.subarray(skipped);
  });
}
