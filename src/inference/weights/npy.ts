import { readFile } from 'node:fs/promises';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import { widenToFloat32, type FloatFormat } from './widen.ts';

export interface NpyArray {
  readonly shape: readonly number[];
  /** uint8 as it is; float32 and float64 as float32. Row major. */
  readonly data: Uint8Array | Float32Array;
}

/** @throws ActionstreamError INPUT_INVALID, also where the file cannot be read */
export async function loadNpy(path: string): Promise<NpyArray> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new ActionstreamError('INPUT_INVALID', `${path}: cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return parseNpy(bytes, path);
}

/**
 * A NumPy .npy file, format 1 to 3: uint8, or little-endian float32 or float64, C order. `origin`
 * names it in errors.
 * @throws ActionstreamError INPUT_INVALID saying what was found and how to save it
 */
export function parseNpy(bytes: Uint8Array, origin: string): NpyArray {
  const { descr, fortranOrder, shape, dataStart } = parseNpyHeader(bytes, origin);
  const format = FORMATS.get(descr);
  if (!format) {
    throw invalid(origin, `holds ${descr}; save uint8, float32 or float64 (little endian)`);
  }
  if (fortranOrder) throw invalid(origin, 'is in Fortran order; save numpy.ascontiguousarray(array)');
  const needed = shape.reduce((product, n) => product * n, format.bytes);
  const data = bytes.subarray(dataStart);
  if (data.length !== needed) {
    throw invalid(
      origin,
      `shape [${shape.join(', ')}] of ${descr} needs ${needed} bytes, the file holds ${data.length}`,
    );
  }
  return { shape, data: format.float ? widenToFloat32(data, format.float) : data.slice() };
}

const FORMATS: ReadonlyMap<string, { readonly bytes: number; readonly float?: FloatFormat }> = new Map([
  ['|u1', { bytes: 1 }],
  ['<u1', { bytes: 1 }],
  ['<f4', { bytes: 4, float: 'F32' }],
  ['<f8', { bytes: 8, float: 'F64' }],
]);

export interface NpyHeader {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  readonly dataStart: number;
}

/**
 * Magic, version, header length (2 bytes in format 1, 4 later), then a Python dict literal with three keys.
 * @throws ActionstreamError INPUT_INVALID
 */
export function parseNpyHeader(bytes: Uint8Array, origin: string): NpyHeader {
  const magic = String.fromCharCode(...bytes.subarray(0, 6));
  if (magic !== '\x93NUMPY' || bytes.length < 12) {
    throw invalid(origin, 'is no .npy file; save it with numpy.save');
  }
  const version = bytes[6]!;
  if (version < 1 || version > 3)
    throw invalid(origin, `is .npy format ${version}; formats 1 to 3 are known`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [headerStart, length] = version === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const dataStart = headerStart + length;
  if (dataStart > bytes.length) {
    throw invalid(origin, `announces a header of ${length} bytes, the file has ${bytes.length}: truncated`);
  }
  const text = new TextDecoder().decode(bytes.subarray(headerStart, dataStart)).trim();
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const dimensions = /'shape'\s*:\s*\(\s*((?:\d+\s*,\s*)*\d*)\s*,?\s*\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || dimensions === undefined) {
    throw invalid(origin, `has a header of another kind: ${text.slice(0, 120)}`);
  }
  const shape = dimensions.split(',').flatMap((n) => (n.trim() === '' ? [] : [Number(n)]));
  return { descr, fortranOrder: order === 'True', shape, dataStart };
}

function invalid(origin: string, problem: string): ActionstreamError {
  return new ActionstreamError('INPUT_INVALID', `${origin}: ${problem}`);
}
