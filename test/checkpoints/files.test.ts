import { describe, expect, it } from 'vitest';
import { parseCheckpoint } from '../../src/checkpoints/read-checkpoint.ts';
import { checkpointBytes } from '../support/checkpoint-goldens.ts';
import { npyBytes } from '../support/npy.ts';
import { zip, tensorPickle, floats, torchZip, read, type Entry } from './checkpoint-files.ts';

describe('a tensor of a checkpoint', () => {
  const six = floats(0, 1, 2, 3, 4, 5);

  it.each<readonly [string, readonly [number, readonly number[], readonly number[]], readonly number[]]>([
    ['row major', [0, [2, 3], [3, 1]], [0, 1, 2, 3, 4, 5]],
    ['transposed', [0, [3, 2], [1, 3]], [0, 3, 1, 4, 2, 5]],
    ['a slice with an offset', [1, [2, 2], [3, 1]], [1, 2, 4, 5]],
    ['every second value', [0, [3], [2]], [0, 2, 4]],
    ['one value for all', [2, [4], [0]], [2, 2, 2, 2]],
    ['of no values', [0, [0, 3], [3, 1]], []],
    ['of no dimension', [4, [], []], [4]],
  ])('%s', (_, [offset, size, strides], values) => {
    expect(read(torchZip(tensorPickle(6, offset, size, strides), six))).toEqual(values);
  });

  it('is read in the byte order that the file states, from stored and deflated entries', () => {
    const big = Buffer.from(six).swap32();
    const data = tensorPickle(6, 0, [6], [1]);
    const entries: readonly Entry[] = [
      { name: 'data.pkl', data, deflated: true },
      { name: 'data/0', data: big, deflated: true },
      { name: 'byteorder', data: Buffer.from('big') },
    ];

    expect(read(zip(...entries))).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('of a legacy file is little-endian whatever the machine that wrote it, as PyTorch writes and reads it', () => {
    const bytes = Buffer.from(checkpointBytes('kylemin-s3d.pt'));
    const said = bytes.indexOf('little_endian') + 'little_endian'.length;
    const flag = bytes.indexOf(0x88, said);
    const changed = Buffer.from(bytes);
    changed[flag] = 0x89;
    const name = 'base.0.conv_s.weight';
    const [whole, other] = [bytes, changed].map((file) => {
      const { tensors } = parseCheckpoint(file, 'k.pt');
      return [...tensors].find(([key]) => key.endsWith(name))?.[1].read();
    });

    expect(flag - said).toBeLessThan(5);
    expect(other).toEqual(whole);
  });

  it('comes out of an npz in C and in Fortran order', () => {
    const fortran = Buffer.from(npyBytes('<f4', [2, 3], floats(0, 3, 1, 4, 2, 5)));
    fortran.write('True, ', fortran.indexOf('False,'));
    const bytes = zip(
      { name: 'w.npy', data: npyBytes('<f4', [2, 3], six), deflated: true },
      { name: 'f.npy', data: fortran },
      { name: 'step.npy', data: npyBytes('<i8', [1], new Uint8Array(BigInt64Array.of(12n).buffer)) },
    );

    expect(read(bytes)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(read(bytes, 'f')).toEqual([0, 1, 2, 3, 4, 5]);
    expect(read(bytes, 'step')).toEqual([12]);
  });
});
