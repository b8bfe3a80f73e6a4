/** Element [i, j, …] of the result, row major, is values[i·strides[0] + j·strides[1] + …]. */
export function gather(
  values: Float32Array,
  { shape, strides }: { readonly shape: readonly number[]; readonly strides: readonly number[] },
): Float32Array {
  const gathered = new Float32Array(shape.reduce((product, n) => product * n, 1));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < gathered.length; to++) {
    gathered[to] = values[from] ?? NaN;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] ?? 0;
      const next = (index[axis] ?? 0) + 1;
      from += stride;
      if (next < (shape[axis] ?? 1)) {
        index[axis] = next;
        break;
      }
      index[axis] = 0;
      from -= next * stride;
    }
  }
  return gathered;
}
