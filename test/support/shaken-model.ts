import type { PixelClip } from '../../src/inference/engine.ts';
import type { Model } from '../../src/inference/model.ts';
import type { NetworkOptions } from '../../src/inference/network/graph.ts';
import { createRandomStream } from '../../src/inference/weights/random-stream.ts';
import { createUntrainedModel } from '../../src/inference/weights/untrained-model.ts';

/** Random weights with batch norms that do something, and a head loud enough to compare. */
export function shakenModel(network: Partial<NetworkOptions>): Model {
  const model = createUntrainedModel({ network, seed: 7 });
  const shake = (name: string, data: Float32Array): Float32Array => {
    const random = createRandomStream(11, name);
    if (name.endsWith('running_var')) return data.map(() => Math.exp(0.3 * random.normal()));
    if (name.startsWith('Head.')) return data.map(() => 0.5 * random.normal());
    if (name.includes('.fc') || name.includes('gate')) return data.map(() => 0.3 * random.normal());
    const small = name.endsWith('bias') || name.endsWith('running_mean') || name.endsWith('bn.weight');
    return small ? data.map((value) => value + 0.1 * random.normal()) : data;
  };
  const weights = [...model.weights].map(
    ([name, { shape, data }]) => [name, { shape, data: shake(name, data) }] as const,
  );
  return { ...model, weights: new Map(weights) };
}

export function noiseClip({ manifest }: Model): PixelClip {
  const { frames, height, width } = manifest.network;
  const random = createRandomStream(3, 'pixels');
  const data = Uint8Array.from({ length: frames * height * width * 3 }, () => 128 + 50 * random.normal());
  return { clipId: 'noise', frames, height, width, data };
}
