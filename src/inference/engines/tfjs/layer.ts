import type { Weights } from '../../model.ts';
import type { Tensor, Tensor4D, TensorLibrary } from './tensorflow.ts';

/** [t, h, w, c] */
export type Activation = Tensor4D;

/** What a layer needs while it is made: the library, the weights, and an owner for its constants. */
export interface LayerContext {
  readonly tf: TensorLibrary;
  readonly weights: Weights;
  /** A tensor that lives as long as the network. */
  readonly constant: (data: Float32Array, shape: readonly number[]) => Tensor;
}

/** One node with its constants in place. Tensors made on the way belong to the caller's scope. */
export type Layer = (...inputs: readonly Activation[]) => Activation;
