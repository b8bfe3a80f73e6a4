import { createHash } from 'node:crypto';
import { ActionstreamError } from '../core/errors.ts';
import type { ModelManifest } from '../inference/model.ts';
import type { NetworkOptions } from '../inference/network/graph.ts';
import { writeSafetensors } from '../inference/weights/safetensors.ts';
import { DEFAULT_SAMPLER, type SamplerOptions } from '../sampler/index.ts';
import type { Checkpoint } from './checkpoint.ts';
import { convertCheckpoint, type Converted } from './convert.ts';
import { matchFormat } from './formats/index.ts';
import type { LeftOut } from './left-out.ts';
import { refuse } from './refuse.ts';

export interface ImportOptions {
  /** A format's name, or `auto`. */
  readonly from: string;
  /** One a class, in the checkpoint's order; `class-0`, … (of an embedding `feature-0`, …) where absent. */
  readonly labels?: readonly string[];
  /** What needs no other weights: frames, size, a pooled SGS layer. */
  readonly network: Partial<
    Pick<NetworkOptions, 'frames' | 'height' | 'width' | 'sgs' | 'temporalEdge' | 'timeMeans'>
  >;
  /** Default: the default sampler where there is an SGS layer, else `none`. */
  readonly sampler?: SamplerOptions;
  /** Convolutions and classifiers as float16: half the size. */
  readonly half: boolean;
  /** Default: the format's name. */
  readonly id?: string;
  /** SHA-256 of the checkpoint, in hex. */
  readonly sha256: string;
  /** As the publisher states it; else it is not known. */
  readonly licence?: string;
  /** How the model was made, and when (ISO date), for its manifest. */
  readonly command: string;
  readonly date: string;
}

export interface ImportedModel {
  readonly format: string;
  readonly manifest: ModelManifest;
  /** The bytes of its .safetensors file. */
  readonly weights: Uint8Array;
  readonly used: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * A checkpoint as a model of ours: its manifest says how the network computes, how it wants to be fed
 * and where it comes from; every tensor of the file is used once or listed with the reason why not.
 * @throws ActionstreamError MODEL_INVALID, USAGE
 */
export function importModel(checkpoint: Checkpoint, options: ImportOptions): ImportedModel {
  const match = matchFormat(checkpoint, options.from);
  const { format } = match;
  if (options.network.sgs?.embedding.kind === 'learned') {
    throw new ActionstreamError(
      'USAGE',
      'no public checkpoint has weights for a learned SGS embedding: leave out --sgs-size for a pooled one',
    );
  }
  const converted = convertCheckpoint(checkpoint, match, options.network);
  const weights = writeSafetensors(converted.weights, { half: options.half });
  if (options.half) checkHalf(converted, checkpoint.origin);
  const { network } = converted;
  const manifest: ModelManifest = {
    id: options.id ?? format.name,
    version: options.sha256.slice(0, 8),
    network: network.options,
    labels: labelsOf(converted, format.labelled ? 'class' : 'feature', options.labels, checkpoint.origin),
    activation: format.labelled ? 'softmax' : 'none',
    sampler: options.sampler ?? (network.options.sgs ? DEFAULT_SAMPLER : { kind: 'none' }),
    clip: { fps: format.fps, stride: Math.ceil(network.options.frames / 2) },
    picture: format.picture,
    weights: { file: 'model.safetensors', sha256: createHash('sha256').update(weights).digest('hex') },
    provenance: {
      date: options.date,
      command: options.command,
      sources: [
        {
          name: `${format.source}, checkpoint sha256:${options.sha256}`,
          licence: options.licence ?? 'as its publisher states; this program knows of none',
          use: 'all weights',
        },
      ],
    },
  };
  return { format: format.name, manifest, weights, used: converted.used, leftOut: converted.leftOut };
}

function labelsOf(
  { network }: Converted,
  word: string,
  labels: readonly string[] | undefined,
  origin: string,
): readonly string[] {
  const { classes } = network.options;
  if (labels === undefined) return Array.from({ length: classes }, (_, index) => `${word}-${index}`);
  if (labels.length === classes) return labels;
  throw refuse(
    origin,
    `has ${classes} outputs, but ${labels.length} labels were given; they must be as many`,
  );
}

/** The largest float16 is 65,504; weights that large are none that training leaves. */
function checkHalf({ weights }: Converted, origin: string): void {
  for (const [name, { shape, data }] of weights) {
    const large = shape.length > 1 ? data.find((value) => Math.abs(value) >= 65_520) : undefined;
    if (large !== undefined)
      throw refuse(origin, `${name} holds ${large}, too large for float16: import without --fp16`);
  }
}
