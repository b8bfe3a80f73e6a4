import { z } from 'zod';
import { parseSimilarity } from '../inference/network/similarity.ts';
import { SAMPLERS, type SamplerKind } from '../sampler/index.ts';
import { choice, overrides, section, text, wholeBetween } from '../settings/fields.ts';
import { asFlag } from '../settings/flags.ts';
import { innerName } from '../settings/inner-names.ts';

const KINDS = Object.keys(SAMPLERS) as [SamplerKind, ...SamplerKind[]];

/** Options of all samplers; a default of theirs stands only where the model says nothing. */
const optionsShape = {
  kind: asFlag(choice(KINDS, "How time steps are grouped. Default: the model's own."), '--sampler <kind>', {
    unchecked: true,
  }).optional(),
  ...overrides(SAMPLERS.ordered),
  ...overrides(SAMPLERS.uniform),
  ...overrides(SAMPLERS.reference),
};

/** Without what belongs to the network, which all streams share. */
export const streamSamplerSchema = section(
  optionsShape,
  'Temporal sampling of this stream, in place of `sampler`.',
);

/** Where the network samples, and what its layers above make of that. */
const layerShape = {
  after: asFlag(text('Layer after which time steps are sampled, such as `Conv_2b`.'), '--sgs-after <layer>', {
    alias: '--sgs <layer>',
  }).optional(),
  embedding_size: asFlag(
    wholeBetween(
      [1, 65_536],
      'Size of a learned embedding. Default: pooled features, which need no weights.',
    ),
    '--sgs-size <L>',
  ).optional(),
  similarity: asFlag(
    similarity(
      "By what steps are compared: `global`, `grid:N` or `grid:N:K`. `grid:N`: local means of N×N cells; the cell that moves most counts, relative to the frame's contrast. `grid:N:K`: the mean of the K that move most. `global`: the whole frame at once. Default: the model's own.",
    ),
    '--similarity <by>',
  ).optional(),
  temporal_edge: asFlag(
    choice(
      ['zero', 'edge'],
      "What temporal convolutions above the layer see before the first and behind the last kept step: zeros, or that step again. Default: the model's own.",
    ),
    '--temporal-edge <what>',
  ).optional(),
  time_means: asFlag(
    choice(
      ['plain', 'multiplicity'],
      'Means over time above the layer: every kept step alike, or by how many steps it stands for. Default: `multiplicity` where `temporal_edge: edge` is set.',
    ),
    '--time-means <how>',
  ).optional(),
};

/** Under their inner names. */
export const LAYER_KEYS = (Object.keys(layerShape) as (keyof typeof layerShape)[]).map(innerName);

export const samplerSchema = section(
  { ...optionsShape, ...layerShape },
  'Adaptive temporal sampling: which time steps of a clip the upper stage of the network sees.',
);

/** Text as parseSimilarity takes it. */
function similarity(meaning: string) {
  const error = 'expected global, grid:N such as grid:7, or grid:N:K with K from 1 to N²';
  return z
    .string({ error })
    .regex(/^(global|grid:\d{1,3}(:\d{1,5})?)$/, { error })
    .refine((value) => isSimilarity(value), { error })
    .meta({ description: meaning });
}

function isSimilarity(value: string): boolean {
  try {
    parseSimilarity(value);
    return true;
  } catch {
    return false;
  }
}
