import { CLIPS, type Dimension } from '../graph-writer.ts';
import { inForm } from '../layouts.ts';
import { writeRasterMeans } from '../raster-means.ts';
import {
  blocked,
  BLOCKED_DOMAIN,
  channelsInMemory,
  heldOrder,
  inOrder,
  toPlain,
  type BlockedActivation,
} from './blocked-activation.ts';
import type { BlockedContext } from './blocked-context.ts';

/**
 * As writeRasterMeans. Where all cells have one size, one pool over the blocks as they lie, spare
 * rows and gate left aside.
 */
export function writeBlockedRasterMeans(
  { graph, size }: BlockedContext,
  value: BlockedActivation,
  grid: number,
): string {
  const { height, width, spareRows, runs } = value;
  const cell = [height / grid, width / grid] as const;
  if (!cell.every(Number.isInteger) || spareRows >= cell[0])
    return writeRasterMeans(graph, toPlain(graph, value, size), grid);
  const order = heldOrder(value);
  const held = inOrder(graph, value, size, order);
  const frames = graph.reshape(held, [-1, size, height + spareRows, width]);
  const window = { kernel_shape: cell, strides: cell, pads: [0, 0, 0, 0] };
  const means = graph.node('AveragePool', [frames], window, BLOCKED_DOMAIN);
  const channels = channelsInMemory(runs, size);
  const shape: readonly Dimension[] =
    order === 'steps' ? [CLIPS, channels, -1, grid * grid] : [-1, channels, grid, grid];
  const cells = graph.reshape(means, shape);
  const small = blocked(order, cells, { ...value, height: grid, width: grid, spareRows: 0 });
  return inForm(graph, toPlain(graph, small, size), 'steps');
}
