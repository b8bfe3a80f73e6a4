import { countOf, shapeText } from '../checkpoint.ts';
import { gather } from '../gather.ts';
import { refuse } from '../refuse.ts';
import { NUMBER_BYTES, readNumbers, type NumberFormat } from './numbers.ts';

/** A view of numbers in memory: element [i, j, …] lies at offset + i·strides[0] + j·strides[1] + … */
export interface StridedView {
  readonly bytes: Uint8Array;
  readonly format: NumberFormat;
  readonly littleEndian: boolean;
  /** In elements, as the strides. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** 1 GiB as Float32: more than any layer holds. A view of stride 0 can claim any size from a few bytes. */
const MAX_ELEMENTS = 2 ** 28;

/**
 * The view's elements in row-major order.
 * @throws ActionstreamError MODEL_INVALID where the view reaches outside its memory; `place` names the tensor
 */
export function readStrided(view: StridedView, place: string): Float32Array {
  const { bytes, format, littleEndian, offset, shape } = view;
  const count = countOf(shape);
  if (count > MAX_ELEMENTS) {
    throw refuse(place, `${shapeText(shape)} claims ${count} values, expected at most ${MAX_ELEMENTS}`);
  }
  const span = spanOf(view);
  const size = NUMBER_BYTES[format];
  const held = Math.floor(bytes.length / size);
  if (offset + span > held) {
    throw refuse(
      place,
      `${shapeText(shape)} needs values up to ${offset + span} of its storage, which holds ${held}: truncated or wrong`,
    );
  }
  const values = readNumbers(bytes.subarray(offset * size, (offset + span) * size), format, littleEndian);
  return span === count && isRowMajor(view) ? values : gather(values, view);
}

/** Elements from the first to the last one touched. */
function spanOf({ shape, strides }: StridedView): number {
  if (shape.includes(0)) return 0;
  return 1 + shape.reduce((sum, n, axis) => sum + (n - 1) * (strides[axis] ?? 0), 0);
}

function isRowMajor({ shape, strides }: StridedView): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const n = shape[axis] ?? 1;
    if (n !== 1 && strides[axis] !== expected) return false;
    expected *= n;
  }
  return true;
}
