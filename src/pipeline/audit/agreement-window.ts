import { wilsonInterval } from '../../core/wilson.ts';

/** How one δ has agreed with the dense network on the audited clips of late. Older blocks are forgotten. */
export interface AgreementWindow {
  /** @param share of the clip's decisions that are alike, 0 to 1 */
  add(block: string, share: number): void;
  /** Mean over the audited blocks, and its lower confidence bound; undefined where there is none. */
  readonly seen: { readonly mean: number; readonly low: number } | undefined;
  /** The bound where, until the window is full, the blocks that are missing count as agreeing. */
  readonly filledLow: number;
}

/**
 * Overlapping clips see the same frames and fail together, so clips of one block, which is as long as a clip,
 * are one observation: their mean.
 *
 * @param size blocks that count
 * @param decisions of a clip
 */
export function createAgreementWindow(size: number, decisions: number): AgreementWindow {
  const blocks: { readonly id: string; sum: number; clips: number }[] = [];
  const shares = (): number[] => blocks.map(({ sum, clips }) => sum / clips);
  let filledLow = lowestAgreement(filled([], size), decisions);

  return {
    add(id, share) {
      const last = blocks.at(-1);
      if (last?.id === id) {
        last.sum += share;
        last.clips += 1;
      } else {
        blocks.push({ id, sum: share, clips: 1 });
        if (blocks.length > size) blocks.shift();
      }
      filledLow = lowestAgreement(filled(shares(), size), decisions);
    },
    get seen() {
      if (blocks.length === 0) return undefined;
      const all = shares();
      const mean = meanOf(all);
      return { mean, low: Math.min(mean, lowestAgreement(all, decisions)) };
    },
    get filledLow() {
      return filledLow;
    },
  };
}

/**
 * The lower end of a 95 % interval of a mean of `shares`, each from 0 to 1. One share is added in which one
 * decision differs: so few that all agree are no proof.
 *
 * Shares of many decisions vary less than a coin does. Wilson's interval takes as its number of trials the
 * effective sample size, n·m(1 − m)/s² with mean m and variance s² of the n shares: n where a clip's
 * decisions fail all at once, n·decisions at most (design effect: Kish 1965, Survey Sampling, §8.2; Korn and
 * Graubard 1998).
 */
export function lowestAgreement(shares: readonly number[], decisions: number): number {
  const all = [...shares, 1 - 1 / decisions];
  const mean = meanOf(all);
  if (mean === 0) return 0;
  const variance = meanOf(all.map((share) => (share - mean) ** 2));
  const trials = Math.min(all.length * decisions, (all.length * mean * (1 - mean)) / variance);
  return wilsonInterval(mean * trials, trials)[0];
}

/**
 * Blocks that count: as many as it takes until full agreement is certain to a third of what the floor allows.
 * Fewer could prove nothing; more would remember what is long gone.
 *
 * @param floor below 1
 */
export function windowSize(floor: number, decisions: number): number {
  const certain = 1 - (1 - floor) / 3;
  let size = LEAST_BLOCKS;
  while (size < MOST_BLOCKS && lowestAgreement(filled([], size), decisions) < certain) size += 1;
  return size;
}

const LEAST_BLOCKS = 20;
const MOST_BLOCKS = 5000;

function filled(shares: readonly number[], size: number): readonly number[] {
  return [...shares, ...Array<number>(Math.max(0, size - shares.length)).fill(1)];
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
