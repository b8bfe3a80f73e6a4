import { ActionstreamError } from '../core/errors.ts';
import type { SamplerOptions } from './types.ts';

/** What a sampler is where only its kind is named; δ suits embeddings of unit length. */
const DEFAULTS = {
  none: { kind: 'none' },
  uniform: { kind: 'uniform', stride: 2 },
  reference: { kind: 'reference', kernel: 'linear', distance: 'l2' },
  ordered: { kind: 'ordered', width: 0.05, distance: 'l2' },
} as const satisfies { [K in SamplerOptions['kind']]: SamplerOptions & { kind: K } };

export const DEFAULT_SAMPLER: SamplerOptions = DEFAULTS.ordered;

interface Rule {
  readonly expected: string;
  readonly holds: (value: unknown) => boolean;
}

const DISTANCE: Rule = oneOf('l2', 'l1');

const RULES: { readonly [K in SamplerOptions['kind']]: Readonly<Record<string, Rule>> } = {
  none: {},
  uniform: { stride: wholeFrom1() },
  reference: {
    bins: wholeFrom1(65_536),
    kernel: oneOf('linear', 'linear_normalized', 'delta', 'delta_normalized'),
    distance: DISTANCE,
  },
  ordered: {
    width: notNegative(),
    distance: DISTANCE,
    noiseFloor: notNegative(),
    anchor: oneOf('clip', 'stream'),
    representative: oneOf('mean', 'middle'),
    minSteps: wholeFrom1(),
  },
};

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
  const given = Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined));
  const kind = kindOf(given['kind']);
  const options = { ...DEFAULTS[kind], ...given } as SamplerOptions;
  checkSamplerOptions(options);
  return options;
}

/** @throws SAMPLER_INVALID naming the option, its value and what is allowed */
export function checkSamplerOptions(options: SamplerOptions): void {
  const rules = RULES[kindOf(options.kind)];
  const required = Object.keys(DEFAULTS[options.kind]);
  const given: Readonly<Record<string, unknown>> = { ...options };
  for (const key of Object.keys(given)) {
    if (key !== 'kind' && !Object.hasOwn(rules, key)) {
      const known = Object.keys(rules).join(', ') || 'no options';
      throw new ActionstreamError('SAMPLER_INVALID', `sampler.${key}: ${options.kind} takes ${known}`);
    }
  }
  for (const [key, rule] of Object.entries(rules)) {
    const value = given[key];
    if (value === undefined && !required.includes(key)) continue;
    if (!rule.holds(value)) {
      throw new ActionstreamError(
        'SAMPLER_INVALID',
        `sampler.${key}: expected ${rule.expected}, not ${String(value)}`,
      );
    }
  }
}

function kindOf(kind: unknown): SamplerOptions['kind'] {
  if (typeof kind === 'string' && Object.hasOwn(RULES, kind)) return kind as SamplerOptions['kind'];
  throw new ActionstreamError(
    'SAMPLER_INVALID',
    `sampler.kind: expected one of ${Object.keys(RULES).join(', ')}, not ${String(kind)}`,
  );
}

function oneOf(...values: readonly string[]): Rule {
  return {
    expected: `one of ${values.join(', ')}`,
    holds: (value) => typeof value === 'string' && values.includes(value),
  };
}

function wholeFrom1(most = Number.MAX_SAFE_INTEGER): Rule {
  return {
    expected: most === Number.MAX_SAFE_INTEGER ? 'a whole number ≥ 1' : `a whole number from 1 to ${most}`,
    holds: (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most,
  };
}

function notNegative(): Rule {
  return { expected: 'a number ≥ 0', holds: (value) => Number.isFinite(value) && (value as number) >= 0 };
}
