import type { WeightTensor, Weights } from '../model.ts';
import { narrowToFloat16 } from './narrow.ts';
import { parseHeader, type TensorEntry } from './safetensors-header.ts';
import { BYTES_OF, widenToFloat32, type FloatFormat } from './widen.ts';

/**
 * Parses a .safetensors file (https://github.com/huggingface/safetensors): an 8-byte little-endian
 * header length, a JSON header, then the tensors without gaps. F64, F32, F16 and BF16 become
 * Float32. `origin` names the file in errors.
 * @throws ActionstreamError MODEL_INVALID naming file, tensor and what was expected
 */
export function parseSafetensors(bytes: Uint8Array, origin: string): Weights {
  const { entries, dataStart } = parseHeader(bytes, origin, BYTES_OF);
  const tensorOf = ({ shape, dtype, begin, end }: TensorEntry<FloatFormat>): WeightTensor => ({
    shape,
    data: widenToFloat32(bytes.subarray(dataStart + begin, dataStart + end), dtype),
  });
  return new Map(entries.map((entry) => [entry.name, tensorOf(entry)]));
}

/**
 * The bytes of a .safetensors file in the map's order: the same weights give the same bytes. All
 * F32; with `half`, tensors of two and more dimensions are F16 and the others, batch norms and
 * biases, stay F32.
 */
export function writeSafetensors(
  weights: Weights,
  { half = false }: { readonly half?: boolean } = {},
): Uint8Array {
  const header: Record<string, unknown> = {};
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of weights) {
    const narrow = half && shape.length > 1;
    const part = narrow
      ? narrowToFloat16(data)
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    header[name] = {
      dtype: narrow ? 'F16' : 'F32',
      shape,
      data_offsets: [offset, offset + part.length],
    };
    parts.push(part);
    offset += part.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // Padded with spaces, so that the data starts at a multiple of 8.
  const dataStart = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(dataStart + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  bytes.fill(0x20, 8, dataStart);
  bytes.set(json, 8);
  let position = dataStart;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}
