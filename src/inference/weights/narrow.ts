/** Float32 as IEEE 754 binary16, little-endian, rounded to nearest, ties to even; ±∞ from 65,520 on. */
export function narrowToFloat16(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint16(2 * i, halfBits(value), true);
  });
  return bytes;
}

const SCRATCH = new DataView(new ArrayBuffer(4));

function halfBits(value: number): number {
  SCRATCH.setFloat32(0, value);
  const bits = SCRATCH.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  if (Number.isNaN(value)) return sign | 0x7e00;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  if (exponent >= 31) return sign | 0x7c00;
  const fraction = (bits & 0x7fffff) | 0x800000;
  // Below the normal range the fraction moves right until the exponent fits.
  const shift = exponent > 0 ? 13 : 14 - exponent;
  if (shift > 24) return sign;
  const kept = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  const rounded = rest > half || (rest === half && kept % 2 === 1) ? kept + 1 : kept;
  // The leading one of a normal fraction counts as one exponent step; so does a carry out of rounding.
  return sign | (exponent > 0 ? ((exponent - 1) << 10) + rounded : rounded);
}
