import { countCost } from './network/cost.ts';
import type { Network } from './network/graph.ts';
import { temporalField } from './network/temporal-field.ts';
import type { Embeddings } from '../sampler/types.ts';

/**
 * Embeddings as the sampler is to see them: with the cells that the network's SGS layer makes of a
 * frame. With boundary `nearest_complete`, a step whose temporal receptive field leaves the clip
 * takes the embedding of the nearest step whose field does not; where no step is complete (clips
 * shorter than the field) all stay as they are.
 *
 * @param embeddings [T' × L] of the network's SGS layer
 */
export function applyBoundary(network: Network, embeddings: Embeddings): Embeddings {
  const complete = completeSteps(network);
  if (!complete) return withCells(network, embeddings);
  const { length, size, data } = embeddings;
  const [first, last] = complete;
  const applied = data.slice();
  for (let step = 0; step < length; step += 1) {
    const source = Math.min(last, Math.max(first, step));
    if (source !== step) applied.copyWithin(step * size, source * size, (source + 1) * size);
  }
  return withCells(network, { length, size, data: applied });
}

/**
 * Cells lie one after the other within an embedding; what lies in which order does not matter to
 * the sampler otherwise.
 */
export function withCells(network: Network, embeddings: Embeddings): Embeddings {
  const sgs = network.nodes.find((node) => node.op === 'sgs');
  if (sgs?.embedding.kind !== 'cells') return embeddings;
  const { grid, top } = sgs.embedding;
  return { ...embeddings, cells: { count: grid * grid, top } };
}

/**
 * First and last step at the SGS layer that see only frames of the clip, never padding; undefined
 * where the layer is absent, wants its embeddings as they are, or has no such step.
 */
export function completeSteps(network: Network): readonly [first: number, last: number] | undefined {
  const sgs = network.nodes.find((node) => node.op === 'sgs');
  if (sgs?.boundary !== 'nearest_complete') return undefined;
  const { jump, low, high } = temporalField(network, sgs.input);
  const { inputSteps } = countCost(network);
  const first = Math.max(0, Math.ceil(-low / jump));
  const last = Math.min(inputSteps - 1, Math.floor((network.options.frames - 1 - high) / jump));
  return first <= last ? [first, last] : undefined;
}
