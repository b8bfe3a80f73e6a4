import type { Padding } from '../../network/graph.ts';
import { axisMode, axisPadding } from '../../network/padding.ts';
import type { Triple } from '../../network/stages.ts';
import type { Activation } from './layer.ts';

/** What slides over an activation. */
export interface Window {
  readonly kernel: Triple;
  readonly stride: Triple;
  readonly padding: Padding;
}

type Pair = [before: number, after: number];

/** Padding of an activation [t, h, w, c] for the lengths that it really has, by axis. */
export function paddingOf(
  { kernel, stride, padding }: Window,
  { shape }: Activation,
): { readonly t: Pair; readonly h: Pair; readonly w: Pair } {
  const pair = (axis: 0 | 1 | 2): Pair => {
    const { before, after } = axisPadding(axisMode(padding, axis), shape[axis], kernel[axis], stride[axis]);
    return [before, after];
  };
  return { t: pair(0), h: pair(1), w: pair(2) };
}

/** An axis that nothing is added to. */
export const UNPADDED: Pair = [0, 0];
