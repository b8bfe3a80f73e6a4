import { createRandomStream } from '../../src/inference/weights/random-stream.ts';
import { figuresOf, type FigureName } from './figures.ts';
import {
  createPairedBootstrap,
  type Estimate,
  type FiguresOf,
  type PairedBootstrap,
} from './paired-bootstrap.ts';
import type { Scored } from './scored.ts';

type Item = keyof Scored['counts'];

export type Estimates = Readonly<Record<FigureName, Estimate>>;
export type StudyFigures = FiguresOf<Item, FigureName>;

/**
 * Over seeds and test items (clips; 15 s blocks of long videos). Everything
 * compared must hold the same items as `like`.
 */
export function createBootstrap({ counts }: Scored, seeds: number): PairedBootstrap<Item> {
  const random = createRandomStream(1, 'bootstrap');
  return createPairedBootstrap({ counts, seeds, random: () => random.word() / 2 ** 32 });
}

/** `scored` holds one entry a seed. */
export function bySeed(scored: readonly Scored[]): StudyFigures {
  return (seed, weights) => figuresOf(scored[seed]!, weights);
}
