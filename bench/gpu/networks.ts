import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Model } from '../../src/inference/model.ts';
import { buildNetwork } from '../../src/inference/network/build.ts';
import { countCost } from '../../src/inference/network/cost.ts';
import { createRandomStream } from '../../src/inference/weights/random-stream.ts';
import { bindWeights } from '../../src/inference/weights/bind-weights.ts';
import { writeSafetensors } from '../../src/inference/weights/safetensors.ts';
import { noiseClip } from '../../src/lab/bench/clip-times.ts';
import { peerNetwork, shapeOf } from '../../src/lab/bench/shapes.ts';
import type { PixelClip } from '../../src/inference/engine.ts';

/** A network with an SGS layer, in files that both sides read. */
export interface GpuNetwork {
  readonly name: string;
  /** Model folders: with the SGS layer, and without. */
  readonly cut: string;
  readonly dense: string;
  readonly clip: PixelClip;
  /** Multiply-adds of the dense clip. */
  readonly multiplyAdds: number;
  /** Steps that reach the SGS layer. */
  readonly inputSteps: number;
  /** What bench/peer/gpu.py must know. */
  readonly peer: Readonly<Record<string, unknown>>;
}

/**
 * Batch norms and biases get values that an untrained network lacks, so that a
 * wrong order of layers shows in the scores.
 */
export function shaken(model: Model): Model {
  const weights = new Map(
    [...model.weights].map(([name, tensor]) => {
      if (tensor.shape.length > 1) return [name, tensor];
      const random = createRandomStream(2, name);
      const positive = /bn\.(weight|running_var)$/.test(name);
      const data = tensor.data.map(
        (value) => value + 0.1 * (positive ? Math.abs(random.normal()) : random.normal()),
      );
      return [name, { ...tensor, data }];
    }),
  );
  return { ...model, weights };
}

/** Writes the model, and the same without its SGS layer, below `folder`. */
export async function writeNetwork(folder: string, model: Model): Promise<GpuNetwork> {
  const { sgs, ...options } = model.manifest.network;
  if (!sgs) throw new Error(`${model.manifest.id} has no SGS layer`);
  const network = buildNetwork(options);
  const { weights } = bindWeights(network, model.weights, model.manifest.id);
  const [cut, dense] = [path.join(folder, 'cut'), path.join(folder, 'dense')];
  await writeModel(cut, model);
  await writeModel(dense, {
    ...model,
    weights,
    manifest: { ...model.manifest, network: network.options, sampler: { kind: 'none' } },
  });
  const clip = noiseClip(network.options);
  await writeFile(path.join(folder, 'pixels'), clip.data);
  const shape = shapeOf(model.manifest);
  return {
    name: shape.name,
    ...{ cut, dense, clip },
    multiplyAdds: countCost(network).multiplyAdds,
    inputSteps: countCost(buildNetwork(model.manifest.network)).inputSteps,
    peer: {
      ...Object.fromEntries(
        Object.entries(peerNetwork(shape)).filter(([key]) => !['frames', 'size'].includes(key)),
      ),
      size: [clip.frames, clip.height, clip.width],
      weights: path.join(dense, 'model.safetensors'),
      pixels: path.join(folder, 'pixels'),
    },
  };
}

async function writeModel(folder: string, { manifest, weights }: Model): Promise<void> {
  const bytes = writeSafetensors(weights);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'model.safetensors'), bytes);
  await writeFile(
    path.join(folder, 'manifest.json'),
    JSON.stringify({ ...manifest, weights: { file: 'model.safetensors', sha256 } }),
  );
}
