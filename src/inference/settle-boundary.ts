import { ActionstreamError } from '../core/errors.ts';
import { axisMode, axisPadding } from './network/padding.ts';
import type { Network } from './network/graph.ts';
import { shapesOf } from './network/cost.ts';
import type { Embeddings } from '../sampler/types.ts';

/**
 * Embeddings as the sampler is to see them. With boundary `nearest_complete`, a step whose temporal receptive field
 * leaves the clip takes the embedding of the nearest step whose field does not; where no step is complete (clips
 * shorter than the field) all stay as they are.
 *
 * @param embeddings [T' × L] of the network's SGS layer
 */
export function settleBoundary(network: Network, embeddings: Embeddings): Embeddings {
  const complete = completeSteps(network);
  if (!complete) return embeddings;
  const { length, size, data } = embeddings;
  const [first, last] = complete;
  const settled = data.slice();
  for (let step = 0; step < length; step += 1) {
    const source = Math.min(last, Math.max(first, step));
    if (source !== step) settled.copyWithin(step * size, source * size, (source + 1) * size);
  }
  return { length, size, data: settled };
}

/**
 * First and last step at the SGS layer that see only frames of the clip, never padding; undefined where the layer is
 * absent, wants its embeddings as they are, or has no such step.
 */
export function completeSteps(network: Network): readonly [first: number, last: number] | undefined {
  const sgs = network.nodes.find((node) => node.op === 'sgs');
  if (sgs?.boundary !== 'nearest_complete') return undefined;
  const { frames } = network.options;
  const shapes = shapesOf(network);
  const fields = new Map<string, Field>();
  for (const node of network.nodes) {
    if (node === sgs) break;
    if (node.op === 'input') {
      fields.set(node.name, { jump: 1, low: node.encoding.kind === 'motion' ? -1 : 0, high: 0 });
    } else if (node.op === 'concat') {
      fields.set(node.name, widest(node.inputs.map((input) => known(fields, input))));
    } else if (node.op === 'conv' || node.op === 'max_pool') {
      const { jump, low, high } = known(fields, node.input);
      const [kernel] = node.kernel;
      const [stride] = node.stride;
      const { before } = axisPadding(axisMode(node.padding, 0), known(shapes, node.input)[0], kernel, stride);
      fields.set(node.name, {
        jump: jump * stride,
        low: low - before * jump,
        high: high + (kernel - 1 - before) * jump,
      });
    } else {
      fields.set(node.name, known(fields, node.input));
    }
  }
  const { jump, low, high } = known(fields, sgs.input);
  const first = Math.max(0, Math.ceil(-low / jump));
  const last = Math.min(known(shapes, sgs.input)[0] - 1, Math.floor((frames - 1 - high) / jump));
  return first <= last ? [first, last] : undefined;
}

/** Step t sees the frames t·jump + low … t·jump + high. */
interface Field {
  readonly jump: number;
  readonly low: number;
  readonly high: number;
}

function widest(fields: readonly Field[]): Field {
  const low = Math.min(...fields.map((field) => field.low));
  const high = Math.max(...fields.map((field) => field.high));
  return { jump: Math.max(...fields.map((field) => field.jump)), low, high };
}

/** Nodes stand in topological order, so whatever a node reads is there. */
function known<T>(values: ReadonlyMap<string, T>, name: string): T {
  const value = values.get(name);
  if (value === undefined)
    throw new ActionstreamError('INTERNAL', `node ${name} is read before it is written`);
  return value;
}
