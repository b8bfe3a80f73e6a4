import { ActionstreamError } from '../core/errors.ts';
import { planNone } from './none.ts';
import { parseSamplerOptions } from './options.ts';
import { planOrdered } from './ordered.ts';
import { planReference } from './reference.ts';
import type { Embeddings, SamplerOptions, SamplingPlan } from './types.ts';
import { planUniform } from './uniform.ts';

export { DEFAULT_SAMPLER, parseSamplerOptions, SAMPLERS, type SamplerKind } from './options.ts';
export { beginBin, continueBin, type BinRun } from './bin-run.ts';
export type { Embeddings, OrderedOptions, SamplerOptions, SamplingPlan } from './types.ts';

/**
 * Decides which time steps of one clip are kept, and how the others are mixed
 * into them. Pure: the same embeddings give the same plan, bit for bit. `none`
 * and `uniform` read only `embeddings.length`, so `size` may then be 0.
 *
 * @param embeddings [T × L], every value finite; T = 0 gives an empty plan
 * @returns weights [B' × T], 1 ≤ B' where T ≥ 1
 * @throws SAMPLER_INVALID for an option out of range, a wrong data length, or a value that is not finite
 */
export function planSampling(embeddings: Embeddings, wanted: SamplerOptions): SamplingPlan {
  const options = parseSamplerOptions(wanted);
  checkShape(embeddings);
  checkCells(embeddings);
  switch (options.kind) {
    case 'none':
      return planNone(embeddings.length);
    case 'uniform':
      return planUniform(embeddings.length, options);
    case 'reference':
      checkValues(embeddings, options.kind);
      return planReference(embeddings, options);
    case 'ordered':
      checkValues(embeddings, options.kind);
      return planOrdered(embeddings, options);
  }
}

function checkShape({ length, size, data }: Embeddings): void {
  if (!Number.isInteger(length) || length < 0 || !Number.isInteger(size) || size < 0) {
    throw new ActionstreamError(
      'SAMPLER_INVALID',
      `embeddings: [${length} × ${size}] is no shape; use whole numbers ≥ 0`,
    );
  }
  if (data.length !== length * size) {
    throw new ActionstreamError(
      'SAMPLER_INVALID',
      `embeddings: [${length} × ${size}] needs ${length * size} values, but there are ${data.length}`,
    );
  }
}

function checkCells({ size, cells }: Embeddings): void {
  if (!cells || size === 0) return;
  const { count, top } = cells;
  const fits = Number.isInteger(count) && count >= 1 && size % count === 0;
  if (fits && Number.isInteger(top) && top >= 1 && top <= count) return;
  throw new ActionstreamError(
    'SAMPLER_INVALID',
    `embeddings: ${size} values a step are no ${count} cells of which the ${top} that moved most count`,
  );
}

function checkValues({ length, size, data }: Embeddings, kind: string): void {
  if (length > 0 && size === 0) {
    throw new ActionstreamError(
      'SAMPLER_INVALID',
      `embeddings: sampler ${kind} compares time steps and needs at least one value a step`,
    );
  }
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new ActionstreamError(
      'SAMPLER_INVALID',
      `embeddings: value ${bad % size} of step ${Math.floor(bad / size)} is ${data[bad]!}; ` +
        'the network below the sampler overflowed or its weights are damaged',
    );
  }
}
