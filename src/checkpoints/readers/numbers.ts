import { widenToFloat32, type FloatFormat } from '../../inference/weights/widen.ts';

/**
 * Number formats that checkpoints hold, and their bytes. Integers beyond 2²⁴
 * lose digits as Float32: counters only.
 */
export const NUMBER_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const satisfies Record<FloatFormat, number> & Record<string, number>;

export type NumberFormat = keyof typeof NUMBER_BYTES;

/** Numbers lying one behind the other, as Float32; a copy. */
export function readNumbers(bytes: Uint8Array, format: NumberFormat, littleEndian: boolean): Float32Array {
  const size = NUMBER_BYTES[format];
  const native = littleEndian || size === 1 ? bytes : swapped(bytes, size);
  switch (format) {
    case 'F64':
    case 'F32':
    case 'F16':
    case 'BF16':
      return widenToFloat32(native, format);
    case 'I64':
    case 'I32':
    case 'I16':
    case 'I8':
    case 'U8':
    case 'BOOL': {
      const view = new DataView(native.buffer, native.byteOffset, native.byteLength);
      const read = INTEGERS[format];
      return Float32Array.from({ length: native.byteLength / size }, (_, i) => read(view, i * size));
    }
  }
}

const INTEGERS: Readonly<
  Record<Exclude<NumberFormat, FloatFormat>, (view: DataView, offset: number) => number>
> = {
  I64: (view, offset) => Number(view.getBigInt64(offset, true)),
  I32: (view, offset) => view.getInt32(offset, true),
  I16: (view, offset) => view.getInt16(offset, true),
  I8: (view, offset) => view.getInt8(offset),
  U8: (view, offset) => view.getUint8(offset),
  BOOL: (view, offset) => view.getUint8(offset),
};

function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const copy = Buffer.from(bytes);
  if (size === 2) return copy.swap16();
  return size === 4 ? copy.swap32() : copy.swap64();
}
