import { ActionstreamError } from '../../core/errors.ts';
import type { SgsEmbedding, SgsOptions } from './graph.ts';

/** By what steps are compared, as flags and configuration say it. */
export type Similarity = 'global' | Extract<SgsEmbedding, { readonly kind: 'cells' }>;

/** 4×4 cells see a person at the edge of the frame; measured against 1×1 in ADR 0015. */
export const POOLED: SgsEmbedding = { kind: 'pooled', grid: 4 };

/**
 * `global`, or `grid:N` for N×N cells of which the one that moved most counts, `grid:N:K` for the
 * mean of the K that did.
 */
export function parseSimilarity(text: string): Similarity {
  if (text === 'global') return text;
  const [, cells, most = '1'] = /^grid:(\d{1,3})(?::(\d{1,5}))?$/.exec(text) ?? [];
  const [grid, top] = [Number(cells), Number(most)];
  if (grid >= 1 && top >= 1 && top <= grid * grid) return { kind: 'cells', grid, top };
  throw new ActionstreamError(
    'SAMPLER_INVALID',
    `similarity ${text}: expected global, grid:N (N×N cells, e.g. grid:7) or grid:N:K (the K cells that moved most, at most N²)`,
  );
}

/**
 * The SGS layer of a network: where `forced` says, else its own, else the `fallback`; compared by
 * `similarity` where one is given. `global` leaves an embedding of the whole frame what it is.
 */
export function resolveSgs(
  own: SgsOptions | undefined,
  { forced, fallback, similarity }: SgsSources,
): SgsOptions | undefined {
  const sgs = forced ?? own ?? fallback;
  if (!sgs || similarity === undefined) return sgs;
  if (similarity !== 'global') return { ...sgs, embedding: similarity };
  return sgs.embedding.kind === 'cells' ? { ...sgs, embedding: POOLED } : sgs;
}

export interface SgsSources {
  readonly forced?: SgsOptions | undefined;
  readonly fallback?: SgsOptions | undefined;
  readonly similarity?: Similarity | undefined;
}
