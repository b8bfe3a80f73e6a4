import { isDeepStrictEqual } from 'node:util';
import {
  beginBin,
  continueBin,
  type BinRun,
  type Embeddings,
  type OrderedOptions,
  type SamplerOptions,
  type SamplingPlan,
} from '../../sampler/index.ts';
import type { StreamPlace } from '../engine.ts';
import type { Network } from '../network/graph.ts';
import { completeSteps, applyBoundary, withCells } from '../apply-boundary.ts';
import type { StreamGeometry } from './geometry.ts';

/** What the upper stage made of a clip's kept maps. */
export interface MappedClip {
  readonly plan: SamplingPlan;
  /** [classes] */
  readonly logits: Float32Array;
}

/** Which of a stream's clips keep the same map, so that it is computed and scored once (ADR 0024). */
export interface MapReuse {
  /**
   * The clip whose map this one keeps: all that came since lies in the one bin of that clip, and
   * both have a step in common. Undefined where this clip begins its own bins. One call a clip, in
   * the stream's order.
   *
   * @param embeddings [T' × L] of the clip's steps before `applyBoundary`
   */
  find(place: StreamPlace, embeddings: Embeddings, sampler: SamplerOptions): MappedClip | undefined;
  /** The clip has begun its own bins. @param embeddings as for `find` */
  keep(place: StreamPlace, embeddings: Embeddings, sampler: SamplerOptions, clip: MappedClip): void;
  /** Forgets a stream: its next clip begins its own bins. */
  close(id: string): void;
}

/** The map of a stream's still clip and how long it lasts: a few hundred bytes. */
interface Kept extends MappedClip {
  readonly segment: number;
  readonly options: OrderedOptions;
  /** Step with which the bin began, counted from the segment's start. */
  readonly first: number;
  /** Of the steps that see no padding behind them. */
  readonly run: BinRun;
}

/** Streams that are remembered; a stream forgotten here begins its bins anew. */
const REMEMBERED = 4096;

/**
 * The states of a stream: **moving**, where nothing is kept: a clip that keeps one step alone makes
 * it **still**. Still, each clip first adds its new steps to the bin; if all lie in it, the
 * clip reuses the map. A clip begins its own bins if it leaves the bin, has no step in common with
 * the clip that made the map, lies in another segment, behind a gap or before that clip, or has
 * another sampler (a raised δ). With them the stream is still or moving.
 */
export function createMapReuse(network: Network, { jump }: Pick<StreamGeometry, 'jump'>): MapReuse {
  const streams = new Map<string, Kept>();
  // Steps behind see padding, which the next clip's do not; where steps are compared as they are,
  // nothing can run on.
  const complete = completeSteps(network);
  const length = complete === undefined ? 0 : complete[1] + 1;

  /** The clip's steps as part of what is kept; undefined where they do not follow. */
  const follow = (kept: Kept, first: number, raw: Embeddings): Kept | undefined => {
    const embeddings = withCells(network, raw);
    const known = kept.first + kept.run.steps - first;
    if (first < kept.first || known < 0) return undefined;
    if (known >= length) return kept;
    const run = continueBin(kept.run, stepsOf(embeddings, known, length), kept.options);
    return { ...kept, run };
  };

  return {
    find({ id, segment, firstFrame }, embeddings, sampler) {
      const kept = streams.get(id);
      streams.delete(id);
      if (kept?.segment !== segment || !isDeepStrictEqual(kept.options, sampler)) return undefined;
      const first = firstFrame / jump;
      const now = follow(kept, first, embeddings);
      const offset = first - kept.first;
      if (!now || offset >= length || now.run.inBin < offset + length) return undefined;
      streams.set(id, now);
      return { plan: now.plan, logits: now.logits.slice() };
    },
    keep({ id, segment, firstFrame }, embeddings, sampler, { plan, logits }) {
      streams.delete(id);
      if (sampler.kind !== 'ordered' || sampler.anchor !== 'stream') return;
      if (length === 0 || plan.outputLength !== 1) return;
      // As its plan saw them.
      const applied = applyBoundary(network, embeddings);
      const run = beginBin(stepsOf(applied, 0, length), sampler);
      const first = firstFrame / jump;
      streams.set(id, { segment, options: sampler, first, run, plan, logits: logits.slice() });
      const [oldest] = streams.keys();
      if (streams.size > REMEMBERED) streams.delete(oldest!);
    },
    close: (id) => {
      streams.delete(id);
    },
  };
}

function stepsOf(embeddings: Embeddings, from: number, to: number): Embeddings {
  const { size, data } = embeddings;
  return { ...embeddings, length: to - from, data: data.subarray(from * size, to * size) };
}
