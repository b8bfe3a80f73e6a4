import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadNpy, parseNpy } from '../../../src/inference/weights/npy.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** As numpy.save writes it: header padded with spaces to a multiple of 64, then a line feed. */
function npy(
  descr: string,
  shape: string,
  data: Uint8Array,
  { version = 1, fortran = 'False' } = {},
): Uint8Array {
  const prefix = version === 1 ? 10 : 12;
  const quoted = descr.startsWith('[') ? descr : `'${descr}'`;
  const dict = `{'descr': ${quoted}, 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
  const length = Math.ceil((prefix + dict.length + 1) / 64) * 64 - prefix;
  const bytes = new Uint8Array(prefix + length + data.length).fill(0x20);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, length, true);
  else view.setUint32(8, length, true);
  bytes.set(new TextEncoder().encode(dict), prefix);
  bytes[prefix + length - 1] = 0x0a;
  bytes.set(data, prefix + length);
  return bytes;
}

const floats = new Uint8Array(Float32Array.of(1.5, -2, 3, 4, 5, 6).buffer);
const doubles = new Uint8Array(Float64Array.of(0.1, 1e300).buffer);

describe('npy', () => {
  it.each([1, 2, 3])('reads format %i', (version) => {
    const found = parseNpy(npy('<f4', '(2, 3)', floats, { version }), 'a.npy');

    expect(found).toEqual({ shape: [2, 3], data: Float32Array.of(1.5, -2, 3, 4, 5, 6) });
  });

  it('reads uint8 as it is and float64 as float32', () => {
    expect(parseNpy(npy('|u1', '(4,)', Uint8Array.of(0, 1, 254, 255)), 'a')).toEqual({
      shape: [4],
      data: Uint8Array.of(0, 1, 254, 255),
    });
    expect(parseNpy(npy('<f8', '(2,)', doubles), 'a').data).toEqual(Float32Array.of(0.1, Infinity));
  });

  it('reads a scalar and an empty array', () => {
    expect(parseNpy(npy('<f4', '()', floats.subarray(0, 4)), 'a')).toEqual({
      shape: [],
      data: Float32Array.of(1.5),
    });
    expect(parseNpy(npy('<f4', '(0, 8)', new Uint8Array()), 'a').shape).toEqual([0, 8]);
  });

  it('gives data of its own, not a view of the file', () => {
    const bytes = npy('|u1', '(1,)', Uint8Array.of(7));
    const { data } = parseNpy(bytes, 'a');
    bytes.fill(0);

    expect([...data]).toEqual([7]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['what is no .npy', new TextEncoder().encode('RIFF....WAVEfmt '), /no \.npy file/],
    ['an empty file', new Uint8Array(), /no \.npy file/],
    ['a later format', npy('<f4', '(6,)', floats, { version: 4 }), /format 4; formats 1 to 3/],
    ['big endian', npy('>f4', '(6,)', floats), /holds >f4; save uint8, float32 or float64/],
    ['integers', npy('<i8', '(3,)', floats), /holds <i8/],
    [
      'Fortran order',
      npy('<f4', '(2, 3)', floats, { fortran: 'True' }),
      /Fortran order; save numpy\.ascontiguousarray/,
    ],
    ['records', npy("[('a', '<f4')]", '(6,)', floats), /header of another kind/],
    ['missing data', npy('<f4', '(2, 4)', floats), /shape \[2, 4\] of <f4 needs 32 bytes, the file holds 24/],
    ['data left over', npy('<f4', '(5,)', floats), /needs 20 bytes, the file holds 24/],
    ['a truncated header', npy('<f4', '(6,)', floats).subarray(0, 40), /truncated/],
    ['a header without shape', npy('<f4', 'None', floats), /header of another kind/],
  ])('refuses %s', (_, bytes, message) => {
    const parse = (): unknown => parseNpy(bytes, 'clip.npy');

    expect(parse).toThrow(message);
    expect(parse).toThrow(/^clip\.npy: /);
    expect(parse).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });

  it('loads a file, and names the one that it cannot read', async () => {
    const dir = await temporaryDirectory();
    await writeFile(join(dir, 'a.npy'), npy('<f4', '(6,)', floats));

    expect((await loadNpy(join(dir, 'a.npy'))).shape).toEqual([6]);
    await expect(loadNpy(join(dir, 'b.npy'))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});
