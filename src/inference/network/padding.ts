import type { FixedPadding, Padding } from './graph.ts';

/** Padding and output length of one axis. */
export interface AxisPadding {
  readonly before: number;
  readonly after: number;
  readonly out: number;
}

/** One axis of a layer's padding; a number is the zeros in front. */
export type AxisMode = 'symmetric' | 'same' | number | FixedPadding;

export function axisMode(padding: Padding, axis: 0 | 1 | 2): AxisMode {
  if (typeof padding === 'object' && 'time' in padding)
    return axis === 0 ? padding.time : axisMode(padding.space, axis);
  return typeof padding === 'string' ? padding : padding[axis];
}

/**
 * `symmetric`: ⌊(k−1)/2⌋ on both sides, as the PyTorch ports (k = 2 pools: none); where the map is
 * shorter than the kernel the end is padded up to it, so that one step or pixel stays one. `same`:
 * TensorFlow's SAME, computed from the actual length: ⌈n/s⌉ outputs, the smaller half of the
 * padding in front. A number: that many zeros in front, ⌈n/s⌉ outputs.
 */
export function axisPadding(mode: AxisMode, length: number, kernel: number, stride: number): AxisPadding {
  if (typeof mode === 'object') {
    const { before, after } = mode;
    return { before, after, out: Math.floor((length + before + after - kernel) / stride) + 1 };
  }
  if (mode !== 'symmetric') {
    const out = Math.ceil(length / stride);
    const reach = (out - 1) * stride + kernel - length;
    const total = Math.max(reach, 0);
    const before = mode === 'same' ? Math.floor(total / 2) : mode;
    return { before, after: Math.max(reach - before, 0), out };
  }
  const side = Math.floor((kernel - 1) / 2);
  const after = side + Math.max(0, kernel - length - 2 * side);
  return { before: side, after, out: Math.floor((length + side + after - kernel) / stride) + 1 };
}
