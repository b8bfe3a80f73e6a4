import { throwIfAborted } from '../serial-queue.ts';
import type { PixelClip, StreamPlace } from '../engine.ts';
import { moveRows, movesInPlace } from './feature-rows.ts';
import { numberFrames, type FrameContents } from './frame-contents.ts';
import type { StreamGeometry } from './geometry.ts';
import { planLower, type LowerRun } from './plan-lower.ts';
import { stepKeys } from './step-keys.ts';
import type { LowerSteps, StepHalves } from './steps.ts';

/** A clip of a stream that begins at a time step: `firstFrame` is a multiple of the geometry's jump. */
export type StreamClip = PixelClip & { readonly stream: StreamPlace };

export interface LoweredClip extends LowerSteps {
  /** What was computed for it; the rest was there. */
  readonly runs: readonly LowerRun[];
  /** Steps taken over from an earlier clip or an equal step. */
  readonly reusedSteps: number;
}

/** The lower halves of many streams' clips, each step computed once. */
export interface LowerStreams {
  /**
   * One call at a time for each stream; its features are valid until the stream's next one. Rejects with ABORTED between runs.
   * @param by what computes instead of the options' halves
   */
  lower(clip: StreamClip, signal: AbortSignal, by?: LowerStreamsOptions['halves']): Promise<LoweredClip>;
  /** Forgets a stream. */
  close(id: string): void;
}

export interface LowerStreamsOptions {
  readonly halves: Pick<StepHalves, 'lower'>;
  readonly geometry: StreamGeometry;
  /** Streams that are remembered; beyond it the one that was seen longest ago is forgotten. */
  readonly maxStreams: number;
  /** See numberFrames. */
  readonly repeatThreshold?: number;
}

/** What is kept of a stream: the steps of its last clip. */
interface Kept extends LowerSteps {
  readonly segment: number;
  readonly contents: FrameContents;
  readonly keys: readonly string[];
}

/**
 * A clip's steps are a function of the pictures of its segment up to the clip's end (ADR 0019): whether a step is
 * remembered or computed changes its cost, not its value. So a stream may be forgotten at any time.
 *
 * Kept per stream: the T' feature maps of the last clip, 4·stepSize bytes each, its embeddings, and one picture. The maps move
 * up in their memory, and new ones are computed into what is free.
 */
export function createLowerStreams(options: LowerStreamsOptions): LowerStreams {
  const { halves, geometry, maxStreams, repeatThreshold = 0 } = options;
  const { steps, stepSize } = geometry;
  /** In the order in which they were last seen. */
  const streams = new Map<string, Kept>();

  /** Computes the runs; those that reach the clip's end leave their features where they belong. */
  const compute = async (
    runs: readonly LowerRun[],
    features: LowerSteps['features'],
    { pixels, before, pictureSize }: SeenPixels,
    { signal, by }: { readonly signal: AbortSignal; readonly by: LowerStreamsOptions['halves'] },
  ): Promise<readonly LowerSteps[]> => {
    const outputs: LowerSteps[] = [];
    for (const { left, firstFrame, frames, firstStep } of runs) {
      throwIfAborted(signal);
      const from = (before + firstFrame) * pictureSize;
      const seen = pixels.subarray(from, from + frames * pictureSize);
      const toEnd = firstStep >= 0 && firstFrame + frames === geometry.frames;
      const into = toEnd ? features.subarray(firstStep * stepSize) : undefined;
      outputs.push(await by.lower(seen, frames, left, into));
    }
    return outputs;
  };

  return {
    async lower(clip, signal, by = halves) {
      const { id, segment, firstFrame } = clip.stream;
      const seen = seenPixels(clip);
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
      const outputs = await compute(runs, features, seen, { signal, by });
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
      const computed = new Set(sources.filter((source) => 'run' in source).map((source) => source.step));
      return { features, embeddings, runs, reusedSteps: steps - computed.size };
    },
    close: (id) => {
      streams.delete(id);
    },
  };
}

/** The clip's pixels and those before it, as one block. */
interface SeenPixels {
  readonly pixels: Uint8Array;
  /** Pictures before the clip's first one. */
  readonly before: number;
  readonly pictureSize: number;
}

function seenPixels({ stream, data, height, width }: StreamClip): SeenPixels {
  const pictureSize = height * width * 3;
  const before = stream.before.length / pictureSize;
  return { pixels: joined(stream.before, data), before, pictureSize };
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
  rows: readonly { readonly of: LowerSteps['embeddings']; readonly row: number }[],
): LowerSteps['embeddings'] {
  const { size } = rows[0]!.of;
  const data = new Float32Array(rows.length * size);
  rows.forEach(({ of, row }, step) => {
    data.set(of.data.subarray(row * size, (row + 1) * size), step * size);
  });
  return { length: rows.length, size, data };
}
