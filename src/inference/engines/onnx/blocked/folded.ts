/** Weights [o, i, t, h, w] and bias of a convolution with its batch norm folded in. */
export interface Folded {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}
