import { messageOf } from '../../core/errors.ts';
import { parseNpyHeader, type NpyHeader } from '../../inference/weights/npy.ts';
import { countOf, type Checkpoint, type CheckpointTensor } from '../checkpoint.ts';
import { refuse } from '../refuse.ts';
import type { NumberFormat } from './numbers.ts';
import { readStrided } from './strided.ts';
import type { ZipArchive } from './zip.ts';

/**
 * `numpy.savez`: one .npy an array. Arrays of objects are pickles, and refused
 * as everything else that holds no numbers.
 * @throws ActionstreamError MODEL_INVALID
 */
export function readNpz(archive: ZipArchive, origin: string): Checkpoint {
  const tensors = archive.names.map((entry): readonly [string, CheckpointTensor] => [
    entry.replace(/\.npy$/, ''),
    tensorOf(archive, entry, `${origin}: ${entry}`),
  ]);
  return { origin, container: 'npz', tensors: new Map(tensors) };
}

export function isNpz({ names }: ZipArchive): boolean {
  return names.length > 0 && names.every((name) => name.endsWith('.npy'));
}

const FORMATS: Readonly<Record<string, NumberFormat>> = {
  f8: 'F64',
  f4: 'F32',
  f2: 'F16',
  i8: 'I64',
  i4: 'I32',
  i2: 'I16',
  i1: 'I8',
  u1: 'U8',
  b1: 'BOOL',
};

function tensorOf(archive: ZipArchive, entry: string, place: string): CheckpointTensor {
  const { descr, shape } = headerOf(archive.read(entry), place);
  const format = FORMATS[descr.slice(1)];
  if (!format) throw refuse(place, `holds ${descr}, expected numbers: ${Object.keys(FORMATS).join(', ')}`);
  return {
    shape,
    dtype: descr,
    read: () => {
      const bytes = archive.read(entry);
      const { dataStart, fortranOrder } = headerOf(bytes, place);
      const strides = fortranOrder ? stridesOf([...shape].reverse()).reverse() : stridesOf(shape);
      const littleEndian = !descr.startsWith('>');
      const data = bytes.subarray(dataStart);
      return readStrided({ bytes: data, format, littleEndian, offset: 0, shape, strides }, place);
    },
  };
}

function headerOf(bytes: Uint8Array, place: string): NpyHeader {
  try {
    return parseNpyHeader(bytes, place);
  } catch (error) {
    throw refuse(place, messageOf(error).replace(`${place}: `, ''), error);
  }
}

/** Row major. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => countOf(shape.slice(axis + 1)));
}
