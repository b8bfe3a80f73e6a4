import { z } from 'zod';
import { ActionstreamError } from '../core/errors.ts';
import { choice, notNegative, wholeBetween, wholeFrom } from '../settings/fields.ts';
import { asFlag } from '../settings/flags.ts';
import { innerKeys, type InnerSection } from '../settings/inner-names.ts';

const distance = asFlag(choice(['l2', 'l1'], 'Norm of the embedding distance.'), '--distance <norm>', {
  unchecked: true,
});

/**
 * Every sampler with its options: type, bounds, default, meaning and flag.
 * Configuration, command line, model manifests, engines and documents take them
 * from here. A default stands where neither a setting nor the model says more.
 */
export const SAMPLERS = {
  none: {},
  uniform: {
    stride: asFlag(wholeFrom(1, '`uniform`: every n-th step is kept.'), '--stride <n>').default(2),
  },
  reference: {
    bins: asFlag(
      wholeBetween([1, 65_536], '`reference`: number of bins. Default: as many as steps.'),
      '--bins <B>',
    ).optional(),
    kernel: asFlag(
      choice(
        ['linear', 'linear_normalized', 'delta', 'delta_normalized'],
        '`reference`: how steps are weighed within a bin.',
      ),
      '--kernel <name>',
      { unchecked: true },
    ).default('linear'),
    distance: distance.default('l2'),
  },
  ordered: {
    width: asFlag(
      notNegative('`ordered`: bin width δ in embedding distance. Larger keeps fewer steps.'),
      '--delta <δ>',
    ).default(0.05),
    distance: distance.default('l2'),
    noise_floor: asFlag(
      notNegative('`ordered`: moves no larger than this count as none.'),
      '--noise-floor <n>',
    ).optional(),
    anchor: asFlag(
      choice(
        ['clip', 'stream'],
        '`ordered`: where bins begin. `stream`: clips of a stream that stay within one bin share its map, which is computed once; needs `engine.reuse`. Default: `clip`, each clip by itself.',
      ),
      '--anchor <where>',
    ).optional(),
    still: asFlag(
      choice(
        ['hold', 'compute'],
        "`ordered`: frames that differ from an earlier one by no more than the camera's noise. `hold` (default): that one stands for them, so a clip of nothing else costs nothing; needs `engine.reuse`. `compute`: every frame is seen as it is.",
      ),
      '--still <how>',
    ).optional(),
    representative: asFlag(
      choice(
        ['mean', 'middle'],
        '`ordered`: what stands for a group of steps: their weighted mean (default), or the middle one alone, which no motion blurs.',
      ),
      '--representative <step>',
    ).optional(),
    min_steps: asFlag(
      wholeFrom(
        1,
        '`ordered`: kept steps of a clip in which some step moves farther than `noise_floor`, at least. Default 1.',
      ),
      '--min-steps <N>',
    ).optional(),
  },
} as const satisfies Readonly<Record<string, z.ZodRawShape>>;

export type SamplerKind = keyof typeof SAMPLERS;

/** The options of one kind, defaults filled in. */
export type OptionsOf<K extends SamplerKind> = { readonly kind: K } & ([keyof (typeof SAMPLERS)[K]] extends [
  never,
]
  ? unknown
  : InnerSection<z.output<z.ZodObject<(typeof SAMPLERS)[K]>>>);

/** How time steps are grouped. One union for config, command line, model manifest and engines. */
export type SamplerOptions = { [K in SamplerKind]: OptionsOf<K> }[SamplerKind];

const KINDS = Object.keys(SAMPLERS);

const PARSERS = Object.fromEntries(
  Object.entries(SAMPLERS).map(([kind, shape]) => [kind, z.strictObject(innerShape(shape))]),
) as Readonly<Record<SamplerKind, z.ZodObject>>;

function innerShape(shape: z.ZodRawShape): z.ZodRawShape {
  const keys = innerKeys(shape);
  return Object.fromEntries(Object.entries(shape).map(([key, field]) => [keys.get(key) ?? key, field]));
}

/**
 * Options from outside (a manifest, a config file, command-line flags), missing ones filled in; a key that is
 * undefined counts as missing.
 *
 * @throws SAMPLER_INVALID for an unknown kind or key, or a value out of range
 */
export function parseSamplerOptions(value: unknown): SamplerOptions {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ActionstreamError('SAMPLER_INVALID', 'sampler: expected an object such as {"kind": "ordered"}');
  }
  const { kind: name, ...options } = value as Readonly<Record<string, unknown>>;
  const kind = kindOf(name);
  const given = Object.fromEntries(Object.entries(options).filter(([, entry]) => entry !== undefined));
  const known = Object.keys(PARSERS[kind].shape);
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) throw invalid(`${key}: ${kind} takes ${known.join(', ') || 'no options'}`);
  }
  const parsed = PARSERS[kind].safeParse(given);
  if (parsed.success) return { kind, ...parsed.data } as SamplerOptions;
  const [issue] = parsed.error.issues;
  const key = String(issue?.path[0]);
  throw invalid(`${key}: ${issue?.message ?? ''}, not ${String(given[key])}`);
}

export const DEFAULT_SAMPLER = parseSamplerOptions({ kind: 'ordered' }) as OptionsOf<'ordered'>;

function kindOf(kind: unknown): SamplerKind {
  if (typeof kind === 'string' && Object.hasOwn(SAMPLERS, kind)) return kind as SamplerKind;
  throw invalid(`kind: expected one of ${KINDS.join(', ')}, not ${String(kind)}`);
}

function invalid(problem: string): ActionstreamError {
  return new ActionstreamError('SAMPLER_INVALID', `sampler.${problem}`);
}
