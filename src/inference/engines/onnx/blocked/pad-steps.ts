import type { ConvNode } from '../../../network/graph.ts';
import { axisMode } from '../../../network/padding.ts';
import type { GraphWriter } from '../graph-writer.ts';
import { timePadding } from '../windowed.ts';

/** Steps on `axis`, with the zero frames in front and behind that the node's padding in time asks for. */
export function padSteps(graph: GraphWriter, steps: string, axis: number, node: ConvNode): string {
  const mode = axisMode(node.padding, 0);
  const [kernel] = node.kernel;
  const [stride] = node.stride;
  if (mode === 'same' && stride > 1) return padSameSteps(graph, steps, axis, kernel, stride);
  const { before, after } = timePadding(mode, kernel);
  return graph.node('Pad', [steps, graph.ints([before, after]), '', graph.ints([axis])]);
}

/**
 * TensorFlow's SAME depends on the number of steps: (⌈t/s⌉ − 1)·s + k − t zeros in all, the smaller
 * half in front.
 */
function padSameSteps(
  graph: GraphWriter,
  steps: string,
  axis: number,
  kernel: number,
  stride: number,
): string {
  const length = graph.node('Shape', [steps], { start: axis, end: axis + 1 });
  const rest = graph.node('Mod', [graph.node('Sub', [length, graph.ints([1])]), graph.ints([stride])]);
  const total = graph.node('Max', [graph.node('Sub', [graph.ints([kernel - 1]), rest]), graph.ints([0])]);
  const before = graph.node('Div', [total, graph.ints([2])]);
  const zeros = graph.node('Concat', [before, graph.node('Sub', [total, before])], { axis: 0 });
  return graph.node('Pad', [steps, zeros, '', graph.ints([axis])]);
}
