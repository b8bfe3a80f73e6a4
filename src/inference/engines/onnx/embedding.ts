import { rasterMatrix } from '../../mean-matrices.ts';
import type { SgsNode } from '../../network/graph.ts';
import { sgsNames } from '../../network/weight-shapes.ts';
import { foldBatchNorm } from '../../weights/fold-batch-norm.ts';
import { inForm, type Activation } from './layouts.ts';
import type { LayerContext } from './layer-writers.ts';
import { batchNormOf, tensorOf } from '../../weights/tensor-of.ts';

/** Feature maps → embeddings [t, size]: the space in which SGS compares time steps. */
export function writeEmbedding(context: LayerContext, node: SgsNode, input: Activation): string {
  if (node.embedding.kind === 'pooled') return writePooled(context, node.embedding.grid, input);
  return writeLearned(context, node, input);
}

function writeLearned({ graph, weights }: LayerContext, node: SgsNode, input: Activation): string {
  const names = sgsNames(node);
  if (!names) throw new RangeError('a pooled embedding has no weights');
  const mean = graph.node('ReduceMean', [inForm(graph, input, 'steps'), graph.ints([0, 3])], { keepdims: 0 });
  const pooled = graph.node('Transpose', [mean], { perm: [1, 0] });
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

/** Means over a grid×grid raster as one matrix product, scaled to unit length a step. */
function writePooled({ graph }: LayerContext, grid: number, input: Activation): string {
  const { channels, height, width } = input;
  const raster = graph.floats(rasterMatrix(grid, height, width), [height * width, grid * grid]);
  const cells = graph.node('MatMul', [inForm(graph, input, 'steps'), raster]);
  const byStep = graph.node('Transpose', [cells], { perm: [0, 2, 1, 3] });
  const flat = graph.node('Reshape', [byStep, graph.ints([-1, channels * grid * grid])]);
  const norm = graph.node('ReduceL2', [flat, graph.ints([1])], { keepdims: 1 });
  const safe = graph.node('Max', [norm, graph.floats(Float32Array.of(1e-12), [1])]);
  return graph.node('Div', [flat, safe]);
}
