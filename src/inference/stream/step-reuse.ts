import type { PixelClip, StreamPlace } from '../engine.ts';
import type { LoweredPart, LowerPart } from '../engine-stages.ts';
import { moveRows, movesInPlace } from './feature-rows.ts';
import { numberFrames, type FrameContents } from './frame-contents.ts';
import { planLower, stepKeys, type LowerRun } from './plan-lower.ts';
import type { ReuseSettings } from './reuse-settings.ts';

/** The lower stage of many streams' clips, each step computed once. */
export interface StepReuse {
  /**
   * What the stream has of the clip; undefined for a clip of no stream, and for one that begins
   * between time steps: it has no step in common with its stream's others. Until `finish` the
   * stream counts as forgotten.
   */
  fetch(clip: PixelClip): FetchedClip | undefined;
  /** Forgets a stream. */
  close(id: string): void;
}

export interface FetchedClip {
  /** What the lower stage must compute. */
  readonly missing: readonly LowerPart[];
  /**
   * The clip's steps, from what the stream had and the outputs of the missing parts; valid until
   * the stream's next clip.
   */
  finish(outputs: ReadonlyMap<LowerPart, LoweredPart>): LoweredClip;
}

export interface LoweredClip extends LoweredPart {
  /** Absent where the clip stands by itself. */
  readonly reuse?: {
    readonly place: StreamPlace;
    /** What was computed for it; the rest was there. */
    readonly runs: readonly LowerRun[];
    /** Steps taken from an earlier clip or an equal step. */
    readonly reusedSteps: number;
  };
}

/** What is kept of a stream: the steps of its last clip. */
interface Kept extends LoweredPart {
  readonly segment: number;
  readonly contents: FrameContents;
  readonly keys: readonly string[];
}

/**
 * A clip's steps are a function of the frames of its segment up to the clip's end (ADR 0019):
 * whether a step is remembered or computed changes its cost, not its value. So a stream may be
 * forgotten at any time.
 *
 * Kept per stream: the T' feature maps of the last clip, 4·stepSize bytes each, its embeddings, and
 * one frame. The maps move up in their memory, and new ones are computed into what is free.
 */
export function createStepReuse({ geometry, maxStreams, repeatThreshold = 0 }: ReuseSettings): StepReuse {
  const { steps, stepSize } = geometry;
  /** In the order in which they were last seen. */
  const streams = new Map<string, Kept>();

  /** The frames of a run; one that reaches the clip's end leaves its features where they belong. */
  const partOf = (
    { left, firstFrame, frames, firstStep }: LowerRun,
    { pixels, before, frameSize }: SeenPixels,
    features: Kept['features'],
  ): LowerPart => {
    const from = (before + firstFrame) * frameSize;
    const seen = pixels.subarray(from, from + frames * frameSize);
    const toEnd = firstStep >= 0 && firstFrame + frames === geometry.frames;
    return { pixels: seen, frames, left, ...(toEnd && { into: features.subarray(firstStep * stepSize) }) };
  };

  return {
    fetch(clip) {
      const place = clip.stream;
      if (!place || place.firstFrame % geometry.jump !== 0) return undefined;
      const { id, segment, firstFrame } = place;
      const seen = seenPixels(clip, place);
      const kept = streams.get(id);
      const contents = numberFrames(
        kept?.contents,
        {
          pixels: seen.pixels,
          from: firstFrame - seen.before,
          frames: seen.before + clip.frames,
          sameSegment: kept?.segment === segment,
        },
        repeatThreshold,
      );
      const keys = stepKeys(geometry, contents, firstFrame);
      const { runs, sources } = planLower(geometry, { keys, kept: kept?.keys ?? [], firstFrame });
      const moves = sources.flatMap((source, to) => ('kept' in source ? [{ from: source.kept, to }] : []));
      const features = kept && movesInPlace(moves) ? kept.features : new Float32Array(steps * stepSize);
      // Out while its memory is being changed: should computing fail, nothing half changed is left.
      streams.delete(id);
      if (kept) moveRows(features, kept.features, moves, stepSize);
      const missing = runs.map((run) => partOf(run, seen, features));
      return {
        missing,
        finish(computed) {
          const outputs = missing.map((part) => outputOf(computed, part));
          outputs.forEach((output, run) => {
            const { firstStep } = runs[run]!;
            const inPlace = output.features.buffer === features.buffer;
            const rows = sources.flatMap((source, to) =>
              'run' in source && source.run === run && !(inPlace && source.step === to)
                ? [{ from: source.step - firstStep, to }]
                : [],
            );
            moveRows(features, output.features, rows, stepSize);
          });
          const embeddings = gatherEmbeddings(
            sources.map((source) =>
              'kept' in source
                ? { of: kept!.embeddings, row: source.kept }
                : { of: outputs[source.run]!.embeddings, row: source.step - runs[source.run]!.firstStep },
            ),
          );
          streams.set(id, { features, embeddings, segment, contents, keys });
          const [oldest] = streams.keys();
          if (streams.size > maxStreams) streams.delete(oldest!);
          const isNew = new Set(sources.flatMap((source) => ('run' in source ? [source.step] : [])));
          return { features, embeddings, reuse: { place, runs, reusedSteps: steps - isNew.size } };
        },
      };
    },
    close: (id) => {
      streams.delete(id);
    },
  };
}

/** @throws RangeError where the part was not computed */
export function outputOf(outputs: ReadonlyMap<LowerPart, LoweredPart>, part: LowerPart): LoweredPart {
  const output = outputs.get(part);
  if (!output) throw new RangeError('a part of the clip was not computed');
  return output;
}

/** The clip's pixels and those before it, as one block. */
interface SeenPixels {
  readonly pixels: Uint8Array;
  /** Frames before the clip's first one. */
  readonly before: number;
  readonly frameSize: number;
}

function seenPixels({ data, height, width }: PixelClip, place: StreamPlace): SeenPixels {
  const frameSize = height * width * 3;
  return { pixels: joined(place.before, data), before: place.before.length / frameSize, frameSize };
}

/** One block of both; no copy where they already lie one after the other. */
function joined(before: Uint8Array, data: Uint8Array): Uint8Array {
  if (before.length === 0) return data;
  if (before.buffer === data.buffer && before.byteOffset + before.length === data.byteOffset)
    return new Uint8Array(data.buffer, before.byteOffset, before.length + data.length);
  const block = new Uint8Array(before.length + data.length);
  block.set(before);
  block.set(data, before.length);
  return block;
}

function gatherEmbeddings(
  rows: readonly { readonly of: LoweredPart['embeddings']; readonly row: number }[],
): LoweredPart['embeddings'] {
  const { size } = rows[0]!.of;
  const data = new Float32Array(rows.length * size);
  rows.forEach(({ of, row }, step) => {
    data.set(of.data.subarray(row * size, (row + 1) * size), step * size);
  });
  return { length: rows.length, size, data };
}
