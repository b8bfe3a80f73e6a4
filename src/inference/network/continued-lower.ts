import { shapesOf } from './cost.ts';
import type { Network, NetworkNode, Padding } from './graph.ts';
import { axisMode, axisPadding } from './padding.ts';
import { temporalField } from './temporal-field.ts';

/**
 * The nodes up to the SGS layer, for frames that begin in the middle of a stream: nothing is padded
 * in front, behind as at the end of a clip. Given the frames k·jump + low … of a clip
 * (temporalField), what leaves is the steps k, k + 1, … of that clip, each computed from real
 * frames on its left. Weights keep their names.
 *
 * The network must have an SGS layer, and below it no gate and no clip shorter than a kernel
 * (stream/geometry.ts).
 */
export function continuedLower(network: Network): Network {
  const cut = network.nodes.findIndex((node) => node.op === 'sgs');
  const lower = network.nodes.slice(0, cut + 1);
  const shapes = shapesOf(network);
  /** Step of the clip, with SGS step 0 as the first that is wanted, that leaves each node first. */
  const firsts = new Map<string, number>();
  const first = (name: string): number => firsts.get(name)!;
  const nodes = lower.map((node): NetworkNode => {
    switch (node.op) {
      case 'input': {
        const skip = node.encoding.kind === 'motion' ? 1 : 0;
        firsts.set(node.name, temporalField(network, lower[cut]!.name).low + skip);
        return skip > 0 ? { ...node, skip } : node;
      }
      case 'conv':
      case 'max_pool': {
        const [length] = shapes.get(node.input)!;
        const [stride] = node.stride;
        const { before, after } = axisPadding(axisMode(node.padding, 0), length, node.kernel[0], stride);
        firsts.set(node.name, (first(node.input) + before) / stride);
        return { ...node, padding: { time: { before: 0, after }, space: spaceOf(node.padding) } };
      }
      case 'concat': {
        const latest = Math.max(...node.inputs.map(first));
        firsts.set(node.name, latest);
        const skips = node.inputs.map((name) => latest - first(name));
        return skips.some((skip) => skip > 0) ? { ...node, skips } : node;
      }
      case 'gate':
      case 'sgs':
      case 'head':
        firsts.set(node.name, first(node.input));
        return node;
    }
  });
  return { ...network, nodes };
}

function spaceOf(padding: Padding): Exclude<Padding, { readonly time: unknown }> {
  return typeof padding === 'object' && 'time' in padding ? padding.space : padding;
}
