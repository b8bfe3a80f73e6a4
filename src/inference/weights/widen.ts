/** Bytes an element of the number formats that we read. */
export const BYTES_OF = { F64: 8, F32: 4, F16: 2, BF16: 2 } as const;

export type FloatFormat = keyof typeof BYTES_OF;

/** Little-endian numbers as Float32; a copy, aligned, independent of `bytes`. */
export function widenToFloat32(bytes: Uint8Array, format: FloatFormat): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(bytes.byteLength / BYTES_OF[format]);
  switch (format) {
    case 'F32':
      new Uint8Array(values.buffer).set(bytes);
      break;
    case 'F64':
      for (let i = 0; i < values.length; i++) values[i] = view.getFloat64(8 * i, true);
      break;
    case 'F16':
      for (let i = 0; i < values.length; i++) values[i] = halfToNumber(view.getUint16(2 * i, true));
      break;
    case 'BF16': {
      // bfloat16 is the upper half of a float32.
      const words = new Uint32Array(values.buffer);
      for (let i = 0; i < values.length; i++) words[i] = view.getUint16(2 * i, true) << 16;
      break;
    }
  }
  return values;
}

/** IEEE 754 binary16: sign 1, exponent 5 (bias 15), fraction 10. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
