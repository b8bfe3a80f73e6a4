/** Padding and output length of one axis. */
export interface AxisPadding {
  readonly before: number;
  readonly after: number;
  readonly out: number;
}

/**
 * `symmetric`: ⌊(k−1)/2⌋ on both sides, as the PyTorch ports (k = 2 pools: none); where the map is shorter than the
 * kernel the end is padded up to it, so that one step or pixel stays one. `same`: TensorFlow's SAME, computed from the
 * actual length: ⌈n/s⌉ outputs, the smaller half of the padding in front.
 */
export function axisPadding(
  mode: 'symmetric' | 'same',
  length: number,
  kernel: number,
  stride: number,
): AxisPadding {
  if (mode === 'same') {
    const out = Math.ceil(length / stride);
    const total = Math.max((out - 1) * stride + kernel - length, 0);
    const before = Math.floor(total / 2);
    return { before, after: total - before, out };
  }
  const side = Math.floor((kernel - 1) / 2);
  const after = side + Math.max(0, kernel - length - 2 * side);
  return { before: side, after, out: Math.floor((length + side + after - kernel) / stride) + 1 };
}
