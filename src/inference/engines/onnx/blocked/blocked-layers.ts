import { writeInput } from '../input-encoding.ts';
import type { LayerContext, LayerWriters, Rows } from '../layer-writers.ts';
import {
  blocked,
  channelsInMemory,
  applyGate,
  toPlain,
  turned,
  type BlockedActivation,
} from './blocked-activation.ts';
import type { BlockedContext } from './blocked-context.ts';
import { writeBlockedConv, type ConvInput } from './blocked-conv.ts';
import { writeBlockedConcat, writeBlockedGate } from './blocked-gate.ts';
import { writeBlockedRasterMeans } from './blocked-raster-means.ts';
import { writeBlockedMaxPool } from './blocked-pool.ts';
import { stackInput, stemGap } from './stacked-stem.ts';

/** Layers in ONNX Runtime's blocked memory, S channels side by side (ADR 0020). */
export function blockedLayers(context: LayerContext, size: number): LayerWriters<ConvInput> {
  const { graph } = context;
  const own = { ...context, size };
  const rowSize = (value: ConvInput): number => {
    const { runs, height, width } = blockedOf(value);
    return channelsInMemory(runs, size) * height * width;
  };
  return {
    input: (pixels, node, network) => {
      const { height, width } = network.options;
      const gap = stemGap(network);
      return gap === undefined || node.encoding.kind !== 'rgb'
        ? writeInput(graph, pixels, node, { height, width })
        : stackInput(graph, pixels, node.encoding, { height, width, gap });
    },
    conv: (node, input, inputScale) => writeBlockedConv(own, node, input, inputScale),
    maxPool: (node, input) => writeBlockedMaxPool(own, node, blockedOf(input)),
    gate: (node, input) => writeBlockedGate(own, node, blockedOf(input)),
    concat: (node, inputs) => writeBlockedConcat(own, node, inputs.map(blockedOf)),
    toPlain: (value) => toPlain(graph, blockedOf(value), size),
    rasterMeans: (value, grid) => writeBlockedRasterMeans(own, blockedOf(value), grid),
    toRows: (value) => toRows(own, applyGate(graph, blockedOf(value), size)),
    rowSize,
    fromRows: (rows, like) => {
      const { runs, height, width } = blockedOf(like);
      const frames = graph.reshape(rows, [-1, channelsInMemory(runs, size), height, width]);
      return blocked('frames', frames, { runs, height, width, spareRows: 0 });
    },
  };
}

function toRows({ graph, size }: BlockedContext, value: BlockedActivation): Rows {
  const { runs, height, width, orders } = value;
  const frames = orders.get('frames');
  const channels = channelsInMemory(runs, size);
  return frames === undefined
    ? {
        tensor: turned(graph, value, size),
        shape: ['clips', 'steps', channels / size, height * width * size],
      }
    : { tensor: frames, shape: ['steps', channels, height, width] };
}

function blockedOf(value: ConvInput): BlockedActivation {
  if ('orders' in value) return value;
  throw new RangeError('only convolutions read the input of a network');
}
