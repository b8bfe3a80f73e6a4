import { rasterMatrix } from '../../mean-matrices.ts';
import type { GraphWriter } from './graph-writer.ts';
import { inForm, type Activation } from './layouts.ts';

/** [n, c, t, grid·grid]: means over the cells of a raster, as one matrix product. */
export function writeRasterMeans(graph: GraphWriter, value: Activation, grid: number): string {
  const { height, width } = value;
  const raster = graph.floats(rasterMatrix(grid, height, width), [height * width, grid * grid]);
  return graph.node('MatMul', [inForm(graph, value, 'steps'), raster]);
}
