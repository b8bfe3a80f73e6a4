/** What a checkpoint file holds, read without executing anything of it. */
export interface Checkpoint {
  /** The file, as errors name it. */
  readonly origin: string;
  readonly container: 'pytorch-zip' | 'pytorch-legacy' | 'safetensors' | 'npz' | 'numpy-pickle';
  /** By name, in file order. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
}

export interface CheckpointTensor {
  readonly shape: readonly number[];
  /** As the file calls it, e.g. `torch.HalfStorage` or `<f4`: for messages. */
  readonly dtype: string;
  /**
   * Its values in row-major order, computed when asked: a checkpoint may hold
   * much that a network does not use.
   * @throws ActionstreamError MODEL_INVALID where the file does not hold them
   */
  read(): Float32Array;
}

export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
