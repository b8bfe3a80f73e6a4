import { temporalField, type TemporalField } from '../network/temporal-field.ts';
import { shapesOf } from '../network/cost.ts';
import type { Network } from '../network/graph.ts';

/** How a clip's steps at the SGS layer lie on its frames: step k sees frames k·jump + low … k·jump + high. */
export interface StreamGeometry extends TemporalField {
  /** T, frames of a clip. */
  readonly frames: number;
  /** T', steps of a clip at the SGS layer. */
  readonly steps: number;
  /** Values of one step's feature map. */
  readonly stepSize: number;
  /** Frames before a clip that its first step reaches to. */
  readonly contextFrames: number;
}

/** @returns the geometry, or why the lower stage of a clip cannot reuse steps of its neighbours */
export function streamGeometry(network: Network): StreamGeometry | { readonly unsupported: string } {
  const cut = network.nodes.findIndex((node) => node.op === 'sgs');
  const sgs = network.nodes[cut];
  if (sgs?.op !== 'sgs') return { unsupported: 'the network has no SGS layer, so no lower stage' };
  const lower = network.nodes.slice(0, cut);
  const gate = lower.find((node) => node.op === 'gate');
  if (gate) return { unsupported: `${gate.name} below the SGS layer looks at the whole clip` };
  const shapes = shapesOf(network);
  for (const node of lower) {
    if (node.op !== 'conv' && node.op !== 'max_pool') continue;
    const [length] = shapes.get(node.input)!;
    // Padding then depends on the clip's length, which a stream has not.
    if (length < node.kernel[0])
      return { unsupported: `${node.name} spans ${node.kernel[0]} steps of a clip that has ${length} there` };
  }
  const field = temporalField(network, sgs.input);
  const { frames } = network.options;
  const seen = field.high - field.low + 1;
  // Every part of a clip is computed from so many frames more: beyond this, parts cost more than they save.
  if (2 * seen > frames)
    return { unsupported: `a step below the SGS layer sees ${seen} of the clip's ${frames} frames` };
  const [steps, height, width, channels] = shapes.get(sgs.input)!;
  return {
    ...field,
    frames,
    steps,
    stepSize: height * width * channels,
    contextFrames: Math.max(0, -field.low),
  };
}
