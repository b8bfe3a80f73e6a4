import type { SgsOptions } from '../../src/inference/network/graph.ts';
import type { StageName } from '../../src/inference/network/stages.ts';
import type { SamplerOptions } from '../../src/sampler/index.ts';

/** One way of running one set of weights over the test videos. */
export interface Case {
  /** Model folder. */
  readonly model: string;
  readonly seed: number;
  /** What the weights learned: the network's name, or how S3D-G went on. */
  readonly training: string;
  /** What is drawn as one series. */
  readonly series: string;
  readonly sampler: SamplerOptions;
  /**
   * Where SGS is put into weights that were trained without it, or another
   * embedding than theirs; absent: their own.
   */
  readonly sgs?: SgsOptions;
  readonly order: 'normal' | 'reversed';
}

export const FAMILY = ['s3d-g', 's3d', 'i3d', 'i2d', 'fast-s3d'] as const;
export const PLACEMENTS = [
  'Conv_1a',
  'Conv_2b',
  'Conv_2c',
  'Mixed_3c',
] as const satisfies readonly StageName[];

const STRIDES = [2, 3, 4];
const NONE: SamplerOptions = { kind: 'none' };

/**
 * δ where the embedding was learned: around those of training/study_run.py, and
 * around those of a model's recipe.
 */
const STUDY_WIDTHS = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6];
const MODEL_WIDTHS = [0.3, 0.6, 1, 1.5, 2.5];
/** δ over pooled features: they have length one, so smaller numbers. */
const POOLED_WIDTHS = [0.03, 0.06, 0.12, 0.25];
const REFERENCE_BINS = [2, 4, 8];

const uniform = (stride: number): SamplerOptions => ({ kind: 'uniform', stride });
const ordered = (width: number): SamplerOptions => ({ kind: 'ordered', width, distance: 'l2' });
const reference = (bins?: number): SamplerOptions => ({
  kind: 'reference',
  kernel: 'linear',
  distance: 'l2',
  ...(bins !== undefined && { bins }),
});

/** Features pooled over a grid compare time steps without any weights: SGS that nobody trained. */
const pooled = (after: StageName, boundary: SgsOptions['boundary'] = 'nearest_complete'): SgsOptions => ({
  after,
  embedding: { kind: 'pooled', grid: 4 },
  boundary,
});

/** The cases of the study's own networks (training/study.py) of one seed. */
export function studyCases(folder: string, seed: number): readonly Case[] {
  const model = (name: string): string => `${folder}/${name}-${seed}`;
  const of = (training: string, series: string, sampler: SamplerOptions, more: Partial<Case> = {}): Case => ({
    model: model(training),
    seed,
    training,
    series,
    sampler,
    order: 'normal',
    ...more,
  });
  const orders = ['normal', 'reversed'] as const;
  const control = 's3d-g-dense';
  const learned = (after: StageName): string => `s3d-g-ordered-${after}`;
  return [
    ...FAMILY.flatMap((variant) => orders.map((order) => of(variant, variant, NONE, { order }))),
    ...orders.map((order) => of(control, 'dense', NONE, { order })),
    ...PLACEMENTS.flatMap((after) => {
      const sgs = pooled(after);
      return [
        ...STRIDES.map((n) => of(control, `uniform ${after}`, uniform(n), { sgs })),
        ...POOLED_WIDTHS.map((width) => of(control, `untrained SGS ${after}`, ordered(width), { sgs })),
        ...REFERENCE_BINS.map((bins) =>
          of(control, `reference SGS ${after}`, reference(bins), { sgs: pooled(after, 'as_is') }),
        ),
        of(learned(after), `trained SGS ${after}, all steps`, NONE),
        ...STUDY_WIDTHS.map((width) => of(learned(after), `trained SGS ${after}`, ordered(width))),
      ];
    }),
    ...[1, ...STRIDES].map((n) => of('s3d-g-uniform-Conv_2b', 'trained uniform Conv_2b', uniform(n))),
    ...STRIDES.map((n) => of(learned('Conv_2b'), 'uniform in trained SGS Conv_2b', uniform(n))),
    ...REFERENCE_BINS.map((bins) =>
      of(learned('Conv_2b'), 'reference in trained SGS Conv_2b', reference(bins)),
    ),
    of(learned('Conv_2b'), 'trained SGS Conv_2b', ordered(0.2), { order: 'reversed' }),
  ];
}

/**
 * The same questions for one model of any kind that brings its own SGS layer;
 * `own` is the sampler of its manifest.
 */
export function modelCases(model: string, sgs: SgsOptions, own: SamplerOptions): readonly Case[] {
  const of = (series: string, sampler: SamplerOptions, more: Partial<Case> = {}): Case => ({
    model,
    seed: 1,
    training: 'model',
    series,
    sampler,
    order: 'normal',
    ...more,
  });
  const untrained = pooled(sgs.after);
  const learned = MODEL_WIDTHS.map(ordered);
  const isNew = learned.every((sampler) => samplerName(sampler) !== samplerName(own));
  return [
    of('dense', NONE),
    of('dense', NONE, { order: 'reversed' }),
    ...STRIDES.map((n) => of('uniform', uniform(n))),
    ...POOLED_WIDTHS.map((width) => of('untrained SGS', ordered(width), { sgs: untrained })),
    of('reference SGS', reference()),
    of('reference SGS', reference(4)),
    ...[...(isNew ? [own] : []), ...learned].map((sampler) => of('trained SGS', sampler)),
    of('trained SGS', own, { order: 'reversed' }),
  ];
}

/** A short name of what samples, e.g. `ordered 0.6`, `uniform 2`, `reference 8`. */
export function samplerName(sampler: SamplerOptions): string {
  switch (sampler.kind) {
    case 'none':
      return 'none';
    case 'uniform':
      return `uniform ${sampler.stride}`;
    case 'ordered':
      return `ordered ${sampler.width}`;
    case 'reference':
      return sampler.bins === undefined ? 'reference' : `reference ${sampler.bins}`;
  }
}
