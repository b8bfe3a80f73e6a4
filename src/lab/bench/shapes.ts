import type { ModelManifest } from '../../inference/model.ts';
import type { NetworkOptions } from '../../inference/network/graph.ts';

/** A dense network that is timed, and what the peer must know to build the same. */
export interface ClipShape {
  readonly name: string;
  readonly network: Partial<NetworkOptions>;
}

export const FULL_SHAPE: ClipShape = {
  name: 's3d-g, 64 frames of 224²',
  network: { variant: 's3d-g', frames: 64, height: 224, width: 224 },
};

/** The network of a model, dense. */
export function shapeOf({ id, network }: Pick<ModelManifest, 'id' | 'network'>): ClipShape {
  const dense = Object.fromEntries(Object.entries(network).filter(([option]) => option !== 'sgs'));
  return { name: `${id}, ${network.frames} frames of ${network.height}²`, network: dense };
}

export const QUICK_SHAPE: ClipShape = {
  name: 's3d-g, 16 frames of 112²',
  network: { variant: 's3d-g', frames: 16, height: 112, width: 112 },
};

export function peerNetwork({ network }: ClipShape): Readonly<Record<string, unknown>> {
  return {
    width: network.widthMultiplier ?? 1,
    frames: network.frames,
    size: network.height,
    stem: network.stem ?? 'separable',
    motion: network.input?.kind === 'motion',
    classes: network.classes ?? 400,
  };
}
