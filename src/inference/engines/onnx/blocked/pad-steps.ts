import type { ConvNode } from '../../../network/graph.ts';
import { axisMode } from '../../../network/padding.ts';
import type { GraphWriter } from '../graph-writer.ts';
import { timePadding } from '../windowed.ts';

/** [t, c, h, w] with the zero pictures in front and behind that the node's padding in time asks for. */
export function padSteps(graph: GraphWriter, frames: string, node: ConvNode): string {
  const mode = axisMode(node.padding, 0);
  const [kernel] = node.kernel;
  const [stride] = node.stride;
  if (mode === 'same' && stride > 1) return padSameSteps(graph, frames, kernel, stride);
  const { before, after } = timePadding(mode, kernel);
  return graph.node('Pad', [frames, graph.ints([before, 0, 0, 0, after, 0, 0, 0])]);
}

/** TensorFlow's SAME depends on the number of steps: (⌈t/s⌉ − 1)·s + k − t zeros in all, the smaller half in front. */
function padSameSteps(graph: GraphWriter, frames: string, kernel: number, stride: number): string {
  const length = graph.node('Shape', [frames], { start: 0, end: 1 });
  const rest = graph.node('Mod', [graph.node('Sub', [length, graph.ints([1])]), graph.ints([stride])]);
  const total = graph.node('Max', [graph.node('Sub', [graph.ints([kernel - 1]), rest]), graph.ints([0])]);
  const before = graph.node('Div', [total, graph.ints([2])]);
  const after = graph.node('Sub', [total, before]);
  const none = graph.ints([0, 0, 0]);
  return graph.node('Pad', [frames, graph.node('Concat', [before, none, after, none], { axis: 0 })]);
}
