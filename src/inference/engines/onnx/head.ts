import { headPixelShares } from '../../mean-matrices.ts';
import type { HeadNode } from '../../network/graph.ts';
import { headNames } from '../../network/weight-shapes.ts';
import { CLIPS } from './graph-writer.ts';
import { inForm, type Activation } from './layouts.ts';
import type { LayerContext } from './layer-writers.ts';
import { tensorOf } from '../../weights/tensor-of.ts';

/**
 * Sliding average, classifier, mean over positions. All three are linear, so the mean over
 * positions comes first: over space it is one product with the constant share of each pixel, over
 * time the mean of neighbouring pairs, or of all.
 */
export function writeHead(
  { graph, weights, shares }: LayerContext,
  node: HeadNode,
  input: Activation,
): string {
  const { height, width } = input;
  const { inChannels, classes, pooling } = node;
  const pixels = graph.floats(headPixelShares(node, height, width), [height * width, 1]);
  const perStep = graph.node('MatMul', [inForm(graph, input, 'steps'), pixels]);
  const steps = graph.reshape(perStep, [CLIPS, inChannels, -1]);
  const share = shares?.(node.name);
  const features =
    share === undefined ? meanOverTime(graph, steps, pooling) : weightedSum(graph, steps, share);
  const names = headNames(node);
  if (!names) return features;
  const weight = graph.floats(tensorOf(weights, names.weight).data, [classes, inChannels]);
  const bias = graph.floats(tensorOf(weights, names.bias).data, [classes]);
  return graph.node('Gemm', [features, weight, bias], { transB: 1 });
}

function meanOverTime(graph: LayerContext['graph'], steps: string, pooling: HeadNode['pooling']): string {
  const positions =
    pooling === 'whole'
      ? steps
      : graph.node('AveragePool', [atLeastTwoSteps(graph, steps)], { kernel_shape: [2], strides: [1] });
  return graph.node('ReduceMean', [positions, graph.ints([2])], { keepdims: 0 });
}

/** [n, c, t] and the share [n, t] of each step → [n, c] */
function weightedSum(graph: LayerContext['graph'], steps: string, share: string): string {
  const weighted = graph.node('Mul', [steps, graph.reshape(share, [CLIPS, 1, -1])]);
  return graph.node('ReduceSum', [weighted, graph.ints([2])], { keepdims: 0 });
}

/**
 * [n, c, t] with the last step doubled where it is the only one: the clamped window then averages
 * that step alone.
 */
function atLeastTwoSteps(graph: LayerContext['graph'], steps: string): string {
  const last = graph.node('Slice', [
    steps,
    graph.ints([-1]),
    graph.ints([Number.MAX_SAFE_INTEGER]),
    graph.ints([2]),
  ]);
  const longer = graph.node('Concat', [steps, last], { axis: 2 });
  const length = graph.node('Shape', [steps], { start: 2, end: 3 });
  const end = graph.node('Max', [length, graph.ints([2])]);
  return graph.node('Slice', [longer, graph.ints([0]), end, graph.ints([2])]);
}
