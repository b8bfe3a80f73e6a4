import { decisionShare } from '../../src/core/decisions.ts';
import { agreementOf } from '../../src/lab/evaluation/agreement.ts';
import { createPairedBootstrap, type Estimate } from '../study/paired-bootstrap.ts';
import type { AblationCase } from './cases.ts';
import { comparedWindows, type ScoredVideo } from './store.ts';

const NAMES = ['decisions', 'same', 'top1', 'mean_abs_score', 'kl', 'kept_ratio', 'cost'] as const;

/** Agreement with the dense published network; `same`: share of windows in which no decision differs. */
type Figures = Readonly<Record<(typeof NAMES)[number], number>>;

/** A case with 95 % intervals, drawn over videos. */
export interface CaseFigures {
  readonly network: string;
  readonly case: string;
  readonly windows: number;
  readonly figures: Readonly<Record<keyof Figures, Estimate>>;
  /** How far the case lies above even strides of its network at its own cost; absent for those themselves. */
  readonly above_uniform?: Readonly<Record<'decisions' | 'same' | 'top1' | 'kl', Estimate>>;
}

/** Windows of a case on one video, and the means over them. */
interface VideoFigures extends Figures {
  readonly windows: number;
}

export function keyOf({ network, name }: AblationCase): string {
  return `${network} ${name}`;
}

/**
 * Figures of every case. Videos are drawn with replacement, the same ones for a case and for the
 * strides beside it: windows of one video fail together.
 */
export function figuresOf(
  cases: readonly AblationCase[],
  videos: readonly ScoredVideo[],
  thresholds: readonly number[],
): readonly CaseFigures[] {
  const bootstrap = createPairedBootstrap({ counts: { video: videos.length }, seeds: 1, random: seeded() });
  const measured = new Map(
    cases.map((one) => [keyOf(one), videos.map((video) => ofVideo(video, keyOf(one), thresholds))]),
  );
  return cases.map((one) => {
    const own = measured.get(keyOf(one))!;
    const strides = cases
      .filter(({ network, sampler }) => network === one.network && /none|uniform/.test(sampler.kind))
      .map((stride) => measured.get(keyOf(stride))!);
    const figures = bootstrap.estimate((_, { video }) => total(own, video));
    const row = {
      network: one.network,
      case: one.name,
      windows: own.reduce((sum, { windows }) => sum + windows, 0),
      figures,
    };
    if (one.sampler.kind !== 'ordered' || strides.length === 0) return row;
    const { decisions, same, top1, kl } = bootstrap.difference(
      (_, { video }) => total(own, video),
      (_, { video }) =>
        curveAt(
          total(own, video).cost,
          strides.map((stride) => total(stride, video)),
        ),
    );
    return { ...row, above_uniform: { decisions, same, top1, kl } };
  });
}

function ofVideo(video: ScoredVideo, key: string, thresholds: readonly number[]): VideoFigures {
  const windows = comparedWindows(video, key);
  const { multiply_adds_ratio: cost, ...agreement } = agreementOf(windows, thresholds);
  const whole = windows.filter(({ dense, sampled }) => decisionShare(dense, sampled, thresholds) === 1);
  return { ...agreement, cost, same: whole.length / windows.length };
}

function total(videos: readonly VideoFigures[], weights: readonly number[]): Figures {
  const weightOf = (index: number): number => (weights[index] ?? 0) * videos[index]!.windows;
  const sum = videos.reduce((all, _, index) => all + weightOf(index), 0);
  const mean = (name: keyof Figures): number =>
    videos.reduce((all, figures, index) => all + weightOf(index) * figures[name], 0) / sum;
  return Object.fromEntries(NAMES.map((name) => [name, mean(name)])) as Record<keyof Figures, number>;
}

/** Straight lines between strides; where all of them cost more or less, the nearest one. */
function curveAt(cost: number, points: readonly Figures[]): Figures {
  const byCost = points.toSorted((a, b) => a.cost - b.cost);
  const above = byCost.find((point) => point.cost >= cost) ?? byCost.at(-1)!;
  const below = byCost[Math.max(0, byCost.indexOf(above) - 1)]!;
  const width = above.cost - below.cost;
  const share = width > 0 ? Math.max(0, (cost - below.cost) / width) : 1;
  return Object.fromEntries(
    NAMES.map((name) => [name, (1 - share) * below[name] + share * above[name]]),
  ) as Record<keyof Figures, number>;
}

/** A multiplicative congruential generator (Park and Miller): the same draws every time. */
function seeded(): () => number {
  let state = 20_261_201;
  return () => {
    state = (state * 48_271) % 0x7fffffff;
    return state / 0x7fffffff;
  };
}
