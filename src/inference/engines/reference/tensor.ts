/** Activations [t, h, w, c], row major. Stored as float32; every operation sums in float64. */
export interface Tensor {
  readonly t: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly data: Float32Array<ArrayBuffer>;
}

export function zeros(t: number, h: number, w: number, c: number): Tensor {
  return { t, h, w, c, data: new Float32Array(t * h * w * c) };
}
