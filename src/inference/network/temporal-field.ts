import { ActionstreamError } from '../../core/errors.ts';
import { shapesOf } from './cost.ts';
import type { Network } from './graph.ts';
import { axisMode, axisPadding } from './padding.ts';

/** Step t sees the frames t·jump + low … t·jump + high of the clip, or padding where they leave it. */
export interface TemporalField {
  readonly jump: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The temporal receptive field of a node's steps. Gates are passed over: what they see of the whole
 * clip is not counted.
 */
export function temporalField(network: Network, name: string): TemporalField {
  const shapes = shapesOf(network);
  const fields = new Map<string, TemporalField>();
  for (const node of network.nodes) {
    switch (node.op) {
      case 'input':
        fields.set(node.name, { jump: 1, low: node.encoding.kind === 'motion' ? -1 : 0, high: 0 });
        break;
      case 'concat':
        fields.set(node.name, widest(node.inputs.map((input) => known(fields, input))));
        break;
      case 'conv':
      case 'max_pool': {
        const { jump, low, high } = known(fields, node.input);
        const [kernel] = node.kernel;
        const [stride] = node.stride;
        const [length] = known(shapes, node.input);
        const { before } = axisPadding(axisMode(node.padding, 0), length, kernel, stride);
        fields.set(node.name, {
          jump: jump * stride,
          low: low - before * jump,
          high: high + (kernel - 1 - before) * jump,
        });
        break;
      }
      case 'gate':
      case 'sgs':
      case 'head':
        fields.set(node.name, known(fields, node.input));
        break;
    }
    if (node.name === name) break;
  }
  return known(fields, name);
}

function widest(fields: readonly TemporalField[]): TemporalField {
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
