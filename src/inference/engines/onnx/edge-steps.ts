import type { ConvNode } from '../../network/graph.ts';
import { axisMode } from '../../network/padding.ts';
import type { GraphWriter } from './graph-writer.ts';
import { timePadding } from './windowed.ts';

/**
 * Steps on `axis` with the first and the last one repeated as often as the node's padding in time
 * asks for; its window then needs none.
 */
export function repeatEdges(
  graph: GraphWriter,
  steps: string,
  axis: number,
  { kernel, stride, padding }: Pick<ConvNode, 'name' | 'kernel' | 'stride' | 'padding'>,
): string {
  if (stride[0] !== 1) throw new RangeError('above the cut only pools stride over time');
  const { before, after } = timePadding(axisMode(padding, 0), kernel[0]);
  const at = (from: number, to: number): string =>
    graph.node('Slice', [steps, graph.ints([from]), graph.ints([to]), graph.ints([axis])]);
  const [first, last] = [at(0, 1), at(-1, Number.MAX_SAFE_INTEGER)];
  const parts = [
    ...Array.from({ length: before }, () => first),
    steps,
    ...Array.from({ length: after }, () => last),
  ];
  return graph.node('Concat', parts, { axis });
}

/** Padding of such a node once its edges are repeated: none in time, as before in space. */
export function withoutTimePadding({ padding }: Pick<ConvNode, 'padding'>): ConvNode['padding'] {
  const space = typeof padding === 'object' && 'time' in padding ? padding.space : padding;
  return { time: { before: 0, after: 0 }, space };
}
