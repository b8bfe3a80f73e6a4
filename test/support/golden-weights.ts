import { createHash } from 'node:crypto';
import type { PixelClip } from '../../src/inference/engine.ts';
import type { Model, Weights } from '../../src/inference/model.ts';
import { buildNetwork } from '../../src/inference/network/build.ts';
import type { Network, NetworkOptions } from '../../src/inference/network/graph.ts';
import { weightShapes } from '../../src/inference/network/weight-shapes.ts';
import type { SamplerOptions } from '../../src/sampler/index.ts';
import { createRandomStream } from '../../src/inference/weights/random-stream.ts';
import { writeSafetensors } from '../../src/inference/weights/safetensors.ts';

export interface GoldenModelOptions {
  readonly network: Partial<NetworkOptions>;
  readonly seed: number;
  /** The least batch norm scale. */
  readonly gamma?: number;
  readonly sampler?: SamplerOptions;
}

/** A model whose weights leave nothing 0, 1 or alike, so that a mix-up cannot hide. */
export function goldenModel({ network: options, seed, gamma, sampler }: GoldenModelOptions): Model {
  const network = buildNetwork(options);
  const weights = goldenWeights(network, seed, gamma);
  const sha256 = createHash('sha256').update(writeSafetensors(weights)).digest('hex');
  return {
    manifest: {
      id: `golden-${network.name}`,
      version: '1',
      network: network.options,
      labels: Array.from({ length: network.options.classes }, (_, k) => `class-${k}`),
      activation: 'softmax',
      sampler: sampler ?? { kind: 'none' },
      clip: { fps: 25, stride: 1 },
      weights: { file: 'model.safetensors', sha256 },
    },
    weights,
    digest: `sha256:${sha256}`,
  };
}

/** The weights of tools/goldens/golden_weights.py, by the same formula. */
export function goldenWeights(network: Network, seed: number, gamma = 0.5): Weights {
  return new Map(
    [...weightShapes(network)].map(([name, shape]) => [
      name,
      { shape, data: goldenTensor(seed, name, shape, gamma) },
    ]),
  );
}

/** uint8 noise, a new frame every `hold` frames. */
export function goldenClip(
  seed: number,
  size: { readonly frames: number; readonly height: number; readonly width: number },
  hold = 1,
): PixelClip {
  const { frames, height, width } = size;
  const random = createRandomStream(seed, 'pixels');
  const data = Uint8Array.from({ length: frames * height * width * 3 }, () => random.word() & 255);
  const frameBytes = height * width * 3;
  for (let frame = 0; frame < frames; frame++) {
    const source = (frame - (frame % hold)) * frameBytes;
    data.copyWithin(frame * frameBytes, source, source + frameBytes);
  }
  return { clipId: `golden-${seed}`, frames, height, width, data };
}

function goldenTensor(seed: number, name: string, shape: readonly number[], gamma: number): Float32Array {
  const random = createRandomStream(seed, name);
  const count = shape.reduce((product, n) => product * n, 1);
  const values = (next: () => number): Float32Array => Float32Array.from({ length: count }, next);
  if (name.endsWith('.bn.weight')) return values(() => gamma + random.uniform());
  if (name.endsWith('.running_var')) return values(() => 0.5 + random.uniform());
  if (name.endsWith('.running_mean')) return values(() => 0.2 * random.normal());
  if (name.endsWith('.bias')) return values(() => 0.1 * random.normal());
  const scale = Math.sqrt(2 / (count / shape[0]!));
  return values(() => scale * random.normal());
}
