import { measureOf } from './distance.ts';
import type { Embeddings, OrderedOptions } from './types.ts';

/** Arc lengths of some steps, and what is needed to go on behind them. */
export interface ArcWalk {
  /** s [T] */
  readonly arc: Float64Array;
  /** s of the last step. */
  readonly length: number;
  /** [L]: embedding of the last step that moved. */
  readonly anchor: Float32Array;
}

/**
 * s [T]: the way gone in similarity space up to each step; the first step stands at 0, or goes on where
 * `before` ended. With a noise floor n the path is measured with a ruler longer than n: the distance is
 * taken from the anchor, the last step that moved, and counts (whole) once it exceeds n. Noise around a
 * static frame then adds nothing, while plain arc length would add its size at every step; a slow
 * drift still counts as soon as it has gone n. With n = 0 the anchor is always the step before.
 */
export function walkArc(
  embeddings: Embeddings,
  { distance, noiseFloor = 0 }: Pick<OrderedOptions, 'distance' | 'noiseFloor'>,
  before?: ArcWalk,
): ArcWalk {
  const arc = new Float64Array(embeddings.length);
  const measure = measureOf(distance, embeddings.cells);
  let from = before?.anchor ?? stepOf(embeddings, 0);
  let length = before?.length ?? 0;
  for (let t = 0; t < arc.length; t += 1) {
    const step = stepOf(embeddings, t);
    const moved = measure(step, from);
    if (moved > noiseFloor) {
      length += moved;
      from = step;
    }
    arc[t] = length;
  }
  return { arc, length, anchor: from.slice() };
}

/**
 * In bins. A drift of exactly δ a step must give one step a bin, though single precision
 * stores 0.7 as 0.69999999: an arc length this close below an edge counts as on it.
 */
const EDGE_TOLERANCE = 1e-5;

/** A number that two steps share exactly where they belong to one bin; it grows with s. */
export function binOf(s: number, width: number): number {
  return width === 0 ? s : Math.floor(s / width + EDGE_TOLERANCE);
}

function stepOf({ data, size }: Embeddings, t: number): Float32Array {
  return data.subarray(t * size, (t + 1) * size);
}
