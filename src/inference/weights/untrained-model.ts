import { createHash } from 'node:crypto';
import { ActionstreamError } from '../../core/errors.ts';
import { DEFAULT_SAMPLER, type SamplerOptions } from '../../sampler/index.ts';
import type { Model, ModelManifest } from '../model.ts';
import { buildNetwork } from '../network/build.ts';
import type { NetworkOptions } from '../network/graph.ts';
import { randomWeights } from './random-weights.ts';
import { writeSafetensors } from './safetensors.ts';

export interface UntrainedModelOptions {
  /** Options left out take the family's defaults. */
  readonly network?: Partial<NetworkOptions>;
  readonly seed: number;
  /** As many as the network has classes. Default `class-0`, `class-1`, … */
  readonly labels?: readonly string[];
  /** Default: the default sampler where the network has an SGS layer, else `none`. */
  readonly sampler?: SamplerOptions;
  /** Default: 25 frames a second, half a clip of stride. */
  readonly clip?: ModelManifest['clip'];
}

/**
 * A model with random weights, honest about it: its id is `untrained-<variant>`, its labels mean
 * nothing. The same options and seed give the same digest, which is that of the .safetensors file
 * the weights would make.
 * @throws ActionstreamError MODEL_INVALID where labels do not match the classes; NETWORK_UNKNOWN
 */
export function createUntrainedModel(options: UntrainedModelOptions): Model {
  const network = buildNetwork(options.network);
  const { classes, frames, sgs } = network.options;
  const labels = untrainedLabels(options);
  if (labels.length !== classes) {
    throw new ActionstreamError(
      'MODEL_INVALID',
      `untrained ${network.name}: ${labels.length} labels for ${classes} classes; give one a class`,
    );
  }
  const weights = randomWeights(network.options, options.seed);
  const sha256 = createHash('sha256').update(writeSafetensors(weights)).digest('hex');
  const manifest: ModelManifest = {
    id: `untrained-${network.name}`,
    version: `seed-${options.seed}`,
    network: network.options,
    labels,
    activation: 'softmax',
    sampler: options.sampler ?? (sgs ? DEFAULT_SAMPLER : { kind: 'none' }),
    clip: options.clip ?? { fps: 25, stride: Math.ceil(frames / 2) },
    weights: { file: 'model.safetensors', sha256 },
  };
  return { manifest, weights, digest: `sha256:${sha256}` };
}

/** The labels that it has, or would have. @throws ActionstreamError NETWORK_UNKNOWN */
export function untrainedLabels({ network, labels }: Omit<UntrainedModelOptions, 'seed'>): readonly string[] {
  const { classes } = buildNetwork(network).options;
  return labels ?? Array.from({ length: classes }, (_, index) => `class-${index}`);
}
