import type { Triple } from '../../inference/network/stages.ts';

/**
 * A convolution of ours by where it stands: the part of `Mixed_3b.b1.reduce`
 * before, between and after the dots.
 */
export interface Unit {
  readonly stage: string;
  /** `b0` … `b3` of a Mixed block. */
  readonly branch?: 'b0' | 'b1' | 'b2' | 'b3';
  /**
   * `whole`: the branch's k×k×k or 1×1×1 convolution; `reduce` the 1×1×1 before
   * it; else one half of a separable one.
   */
  readonly role: 'whole' | 'reduce' | 'spatial' | 'temporal';
}

/** @param name of a conv node: `Conv_2b`, `Conv_1a.spatial`, `Mixed_3b.b0`, `Mixed_3b.b1.reduce` */
export function unitOf(name: string): Unit {
  const [stage = '', second, third] = name.split('.');
  if (!stage.startsWith('Mixed')) return { stage, role: roleOf(second) };
  return { stage, branch: second as NonNullable<Unit['branch']>, role: roleOf(third) };
}

function roleOf(part: string | undefined): Unit['role'] {
  return part === 'reduce' || part === 'spatial' || part === 'temporal' ? part : 'whole';
}

/** Kinetics preparation of the S3D and I3D papers: the network sees 224 of 256 pixels. */
export const PAPER_SCALE = 256 / 224;

export const MINUS_ONE_TO_ONE = {
  kind: 'rgb',
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
} as const satisfies {
  kind: 'rgb';
  mean: Triple;
  std: Triple;
};
