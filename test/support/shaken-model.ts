import type { PixelClip } from '../../src/inference/engine.ts';
import type { Model } from '../../src/inference/model.ts';
import type { NetworkOptions } from '../../src/inference/network/graph.ts';
import { createRandomStream } from '../../src/inference/weights/random-stream.ts';
import { createUntrainedModel } from '../../src/inference/weights/untrained-model.ts';

/**
 * Random weights with batch norms that do something, and a head loud enough to compare. Gates are
 * mild: a gate is the sigmoid of a sum over all channels, and where large terms cancel in it, it
 * magnifies rounding. Measured against float64: with gate weights of 0.3 terms were several hundred,
 * and ten gates in a row made of the last bit of a feature 3e-4 of the logits, in plain ONNX graphs
 * as in blocked ones (6e-5 in the reference engine); with 0.03 it is 3e-6 in all, with no gates 2e-6.
 */
export function shakenModel(network: Partial<NetworkOptions>): Model {
  const model = createUntrainedModel({ network, seed: 7 });
  const shake = (name: string, data: Float32Array): Float32Array => {
    const random = createRandomStream(11, name);
    if (name.endsWith('running_var')) return data.map(() => Math.exp(0.3 * random.normal()));
    if (name.startsWith('Head.')) return data.map(() => 0.5 * random.normal());
    if (name.includes('gate')) return data.map(() => 0.03 * random.normal());
    if (name.includes('.fc')) return data.map(() => 0.3 * random.normal());
    const small = name.endsWith('bias') || name.endsWith('running_mean') || name.endsWith('bn.weight');
    return small ? data.map((value) => value + 0.1 * random.normal()) : data;
  };
  const weights = [...model.weights].map(
    ([name, { shape, data }]) => [name, { shape, data: shake(name, data) }] as const,
  );
  return { ...model, weights: new Map(weights) };
}

/**
 * Noise, each frame of a brightness and contrast of its own: of noise alone
 * all time steps look alike to a network, and the distances that SGS compares
 * are then small differences of large embeddings, which magnify rounding.
 */
export function noiseClip({ manifest }: Model): PixelClip {
  const { frames, height, width } = manifest.network;
  const random = createRandomStream(3, 'pixels');
  const data = new Uint8ClampedArray(frames * height * width * 3);
  const size = height * width * 3;
  for (let start = 0; start < data.length; start += size) {
    const brightness = 60 + 140 * random.uniform();
    const contrast = 10 + 50 * random.uniform();
    for (let i = start; i < start + size; i++) data[i] = brightness + contrast * random.normal();
  }
  return { clipId: 'noise', frames, height, width, data: new Uint8Array(data.buffer) };
}
