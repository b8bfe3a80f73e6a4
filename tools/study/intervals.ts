import { createPairedBootstrap, type Estimate } from './paired-bootstrap.ts';
import { createRandomStream } from '../../src/inference/weights/random-stream.ts';
import { figuresOf, type FigureName } from './figures.ts';
import type { Scored } from './scored.ts';

export type Estimates = Readonly<Record<FigureName, Estimate>>;

export interface Bootstrap {
  /** Means over seeds. `scored` holds one entry a seed. */
  readonly estimate: (scored: readonly Scored[]) => Estimates;
  /** How much `scored` is above `base`, both drawn alike. */
  readonly difference: (scored: readonly Scored[], base: readonly Scored[]) => Estimates;
}

/** Over seeds and test items (clips; 15 s blocks of long videos). Everything compared must hold the same items as `like`. */
export function createBootstrap({ counts }: Scored, seeds: number): Bootstrap {
  const random = createRandomStream(1, 'bootstrap');
  const { estimate, difference } = createPairedBootstrap({
    counts,
    seeds,
    random: () => random.word() / 2 ** 32,
  });
  type Figures = Parameters<typeof estimate<FigureName>>[0];
  const figuresBySeed =
    (scored: readonly Scored[]): Figures =>
    (seed, weights) =>
      figuresOf(scored[seed]!, weights);
  return {
    estimate: (scored) => estimate(figuresBySeed(scored)),
    difference: (scored, base) => difference(figuresBySeed(scored), figuresBySeed(base)),
  };
}
