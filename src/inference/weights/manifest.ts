import { z } from 'zod';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import { parseSamplerOptions, type SamplerOptions } from '../../sampler/index.ts';
import { checkSampler } from '../check-clip.ts';
import type { ModelManifest } from '../model.ts';
import { DEFAULT_NETWORK_OPTIONS, buildNetwork } from '../network/build.ts';
import { STAGES, type StageName } from '../network/stages.ts';
import { parseVariant } from '../network/variants.ts';

/**
 * The text of a `manifest.json` as a manifest; network options left out take the family's defaults.
 * `origin` names the file in errors.
 * @throws ActionstreamError MODEL_INVALID naming every wrong key
 */
export function parseManifest(text: string, origin: string): ModelManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ActionstreamError('MODEL_INVALID', `${origin}: is no JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const result = MANIFEST.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path, message }) => `${path.join('.') || '(whole)'}: ${message}`,
  );
  throw new ActionstreamError('MODEL_INVALID', `${origin}: ${problems.join('; ')}`, { cause: result.error });
}

const count = z.int().min(1);
const triple = z.tuple([z.number(), z.number(), z.number()]).readonly();
const positiveTriple = z
  .tuple([z.number().positive(), z.number().positive(), z.number().positive()])
  .readonly();
const threshold = z
  .strictObject({ on: z.number().min(0).max(1), off: z.number().min(0).max(1) })
  .refine(({ on, off }) => off <= on, 'off must not be above on');

const INPUT = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rgb'), mean: triple, std: positiveTriple }),
  z.strictObject({ kind: z.literal('motion') }),
]);

const SGS = z.strictObject({
  after: z.enum(STAGES.map((stage) => stage.name) as [StageName, ...StageName[]]),
  embedding: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('learned'), size: count }),
    z.strictObject({ kind: z.literal('pooled'), grid: count }),
    z
      .strictObject({ kind: z.literal('cells'), grid: count, top: count.default(1) })
      .refine(({ grid, top }) => top <= grid * grid, 'top must not be above grid²'),
  ]),
  boundary: z.enum(['as_is', 'nearest_complete']),
});

const defaults = DEFAULT_NETWORK_OPTIONS;

const NETWORK = z.strictObject({
  variant: z.string().superRefine(reportThrown(parseVariant)),
  frames: count,
  height: count,
  width: count,
  classes: count,
  widthMultiplier: z.number().positive().default(defaults.widthMultiplier),
  input: INPUT.default(defaults.input),
  padding: z.enum(['symmetric', 'same']).default(defaults.padding),
  poolPadding: z.enum(['symmetric', 'same', 'same_even']).exactOptional(),
  batchNormEpsilon: z.number().positive().default(defaults.batchNormEpsilon),
  gateBias: z.boolean().default(defaults.gateBias),
  gateConv2c: z.boolean().default(defaults.gateConv2c),
  stem: z.enum(['separable', 'flat', 'dense', 'dense_5', 'dense_7', 'space_to_depth']).default(defaults.stem),
  pooling: z.enum(['window', 'space', 'whole']).default(defaults.pooling),
  classifier: z.boolean().default(defaults.classifier),
  sgs: SGS.exactOptional(),
  temporalEdge: z.enum(['zero', 'edge']).exactOptional(),
  timeMeans: z.enum(['plain', 'multiplicity']).exactOptional(),
});

const PICTURE = z.strictObject({ fit: z.enum(['stretch', 'crop']), scale: z.number().min(1).max(4) });

const PROVENANCE = z.strictObject({
  date: z.iso.date(),
  command: z.string(),
  sources: z.array(z.strictObject({ name: z.string(), licence: z.string(), use: z.string() })),
});

const SHA256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');

const WEIGHTS = z.strictObject({
  // A bare name: a manifest must not reach outside its own folder.
  file: z
    .string()
    .regex(/^[^/\\]+\.safetensors$/, 'must be the name of a .safetensors file beside the manifest'),
  sha256: SHA256,
  // Nor may it lead anywhere but to the models folders.
  base: z
    .strictObject({
      model: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be the name of a model'),
      sha256: SHA256,
    })
    .exactOptional(),
});

const SAMPLER = z
  .unknown()
  .superRefine(reportThrown(parseSamplerOptions))
  .transform((value): SamplerOptions => parseSamplerOptions(value));

const MANIFEST: z.ZodType<ModelManifest> = z
  .strictObject({
    id: z.string().min(1),
    version: z.string().min(1),
    network: NETWORK,
    labels: z.array(z.string().min(1)),
    background: z.string().exactOptional(),
    activation: z.enum(['softmax', 'sigmoid', 'none']),
    sampler: SAMPLER,
    clip: z.strictObject({ fps: z.number().positive(), stride: count }),
    picture: PICTURE.exactOptional(),
    weights: WEIGHTS,
    thresholds: z.record(z.string(), threshold).exactOptional(),
    provenance: PROVENANCE.exactOptional(),
  })
  .superRefine((manifest, context) => {
    const fail = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: path.split('.'), message });
    };
    const { labels, network, background, thresholds = {} } = manifest;
    if (labels.length !== network.classes) {
      fail('labels', `there are ${labels.length}, but network.classes is ${network.classes}`);
    }
    const twice = labels.find((label, index) => labels.indexOf(label) !== index);
    if (twice !== undefined) fail('labels', `"${twice}" stands there twice`);
    if (background !== undefined && !labels.includes(background)) {
      fail('background', `"${background}" is none of the labels`);
    }
    for (const label of Object.keys(thresholds)) {
      if (!labels.includes(label)) fail('thresholds', `"${label}" is none of the labels`);
    }
    try {
      checkSampler(manifest.sampler, buildNetwork(network));
    } catch (error) {
      fail('sampler', messageOf(error));
    }
  });

/** A parser that throws, as a check whose message is the error's. */
function reportThrown<T>(parse: (value: T) => unknown) {
  return (value: T, context: z.RefinementCtx): void => {
    try {
      parse(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error), continue: false });
    }
  };
}
