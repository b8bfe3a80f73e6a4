import type { SgsNode } from '../../network/graph.ts';
import { sgsNames } from '../../network/weight-shapes.ts';
import { foldBatchNorm } from '../../weights/fold-batch-norm.ts';
import type { LayerContext } from './layer-writers.ts';
import { batchNormOf, tensorOf } from '../../weights/tensor-of.ts';

/** Writes the means [n, c, t, grid·grid] over the cells of a raster of the feature maps. */
type RasterMeans = (grid: number) => string;

/** Feature maps → embeddings [n·t, size]: the space in which SGS compares time steps. */
export function writeEmbedding(context: LayerContext, node: SgsNode, means: RasterMeans): string {
  const { embedding, channels } = node;
  switch (embedding.kind) {
    case 'learned':
      return writeLearned(context, node, means(1));
    case 'pooled':
      return writePooled(context, means(embedding.grid), channels * embedding.grid ** 2);
    case 'cells':
      return writeSteps(context.graph, means(embedding.grid), channels * embedding.grid ** 2);
  }
}

function writeLearned({ graph, weights }: LayerContext, node: SgsNode, mean: string): string {
  const names = sgsNames(node);
  if (!names) throw new RangeError('only a learned embedding has weights');
  const pooled = writeSteps(graph, mean, node.channels);
  const hiddenBias = graph.floats(tensorOf(weights, names.hiddenBias).data, [names.hidden]);
  const hiddenWeight = graph.floats(tensorOf(weights, names.hiddenWeight).data, [
    names.hidden,
    node.channels,
  ]);
  const hidden = graph.node('Relu', [graph.node('Gemm', [pooled, hiddenWeight, hiddenBias], { transB: 1 })]);
  const { weight, bias } = foldBatchNorm(
    tensorOf(weights, names.outputWeight),
    batchNormOf(weights, names.batchNorm, node.batchNormEpsilon),
    { bias: tensorOf(weights, names.outputBias).data },
  );
  const outputWeight = graph.floats(weight, [names.size, names.hidden]);
  return graph.node('Gemm', [hidden, outputWeight, graph.floats(bias, [names.size])], { transB: 1 });
}

/** The means of a step, scaled to unit length. */
function writePooled({ graph }: LayerContext, means: string, size: number): string {
  const flat = writeSteps(graph, means, size);
  const norm = graph.node('ReduceL2', [flat, graph.ints([1])], { keepdims: 1 });
  const safe = graph.node('Max', [norm, graph.floats(Float32Array.of(1e-12), [1])]);
  return graph.node('Div', [flat, safe]);
}

/** [n, c, t, cells] → [n·t, cells·c], cell after cell */
function writeSteps(graph: LayerContext['graph'], means: string, size: number): string {
  const byStep = graph.node('Transpose', [means], { perm: [0, 2, 3, 1] });
  return graph.node('Reshape', [byStep, graph.ints([-1, size])]);
}
