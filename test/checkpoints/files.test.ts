import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseCheckpoint } from '../../src/checkpoints/read-checkpoint.ts';
import { crc32 } from '../../src/core/crc32.ts';
import { checkpointBytes } from '../support/checkpoint-goldens.ts';
import { npyBytes } from '../support/npy.ts';
import { global, pickle, text } from './pickles.ts';

interface Entry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflated?: true;
  /** What the directory says, where it lies. */
  readonly size?: number;
  readonly crc?: number;
}

function zip(...entries: readonly Entry[]): Uint8Array {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, data, deflated, size = data.length, crc = crc32(data) } of entries) {
    const packed = deflated ? deflateRawSync(data) : data;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(deflated ? 8 : 0, 4);
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    files.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), common, tail, Buffer.from(name));
    offset += 30 + Buffer.byteLength(name) + packed.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, listed, Buffer.from('PK\x05\x06'), end]);
}

/** {'w': a tensor of this size and stride at this offset over storage 0 of `count` floats} */
function tensorPickle(
  count: number,
  offset: number,
  size: readonly number[],
  strides: readonly number[],
): Uint8Array {
  const tuple = (values: readonly number[]): Uint8Array =>
    Buffer.concat([Buffer.from('('), ...values.map(int), Buffer.from('t')]);
  return pickle(
    ...['}', text('w'), global('torch._utils', '_rebuild_tensor_v2'), '(', '(', text('storage')],
    ...[global('torch', 'FloatStorage'), text('0'), text('cpu'), int(count), 't', 'Q'],
    ...[int(offset), tuple(size), tuple(strides), 0x89, '}', 't', 'R', 's'],
  );
}

function int(value: number): Uint8Array {
  const bytes = Buffer.alloc(5, 'J');
  bytes.writeInt32LE(value, 1);
  return bytes;
}

const floats = (...values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

function torchZip(data: Uint8Array, storage: Uint8Array, ...more: readonly Entry[]): Uint8Array {
  return zip({ name: 'm/data.pkl', data }, { name: 'm/data/0', data: storage }, ...more);
}

/** The second entry of the directory is said to lie where the first does. */
function overlapping(bytes: Uint8Array): Uint8Array {
  const changed = Buffer.from(bytes);
  const second = changed.indexOf('PK\x01\x02', changed.indexOf('PK\x01\x02') + 1);
  changed.writeUInt32LE(0, second + 42);
  return changed;
}

/** Two bytes at this place of the first directory entry. */
function patched(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = Buffer.from(bytes);
  changed.writeUInt16LE(value, changed.indexOf('PK\x01\x02') + at);
  return changed;
}

function read(bytes: Uint8Array, tensor = 'w'): number[] {
  return [...parseCheckpoint(bytes, 'm.pt').tensors.get(tensor)!.read()];
}

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

describe('a file that lies or is damaged is refused, and what was found is named', () => {
  const data = tensorPickle(2, 0, [2], [1]);
  const two = floats(1, 2);
  const good = torchZip(data, two);
  const cut = (bytes: Uint8Array, share: number): Uint8Array =>
    bytes.subarray(0, Math.floor(bytes.length * share));

  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['nothing', new Uint8Array(), /begins with nothing: it is empty/],
    [
      'a text',
      Buffer.from('<!DOCTYPE html><html>'),
      /is no checkpoint of a known kind.*begins with .*"<!DOCTYPE ht/,
    ],
    ['a zip cut short', cut(good, 0.8), /has no directory in its \d+ bytes: truncated/],
    ['a zip of images', zip({ name: 'a.png', data: two }), /is a zip of a\.png, …; expected data\.pkl/],
    [
      'a TorchScript program',
      torchZip(data, two, { name: 'm/constants.pkl', data: two }),
      /is a TorchScript program/,
    ],
    ['two pickles', torchZip(data, two, { name: 'n/data.pkl', data }), /holds 2 entries data\.pkl/],
    ['a storage that is absent', zip({ name: 'm/data.pkl', data }), /has no entry m\/data\/0/],
    ['a storage too short', torchZip(data, floats(1)), /m\/data\/0: holds 4 bytes, the pickle says 8/],
    [
      'a view beyond its storage',
      torchZip(tensorPickle(2, 1, [2], [1]), two),
      /w: \[2\] needs values up to 3 of its storage, which holds 2/,
    ],
    [
      'a view of a billion values',
      torchZip(tensorPickle(1, 0, [65_536, 65_536], [0, 0]), two),
      /claims 4294967296 values/,
    ],
    [
      'a stride below 0',
      torchZip(tensorPickle(2, 1, [2], [-1]), two),
      /a tensor whose offset, size or stride are no whole numbers of 0 or more/,
    ],
    ['an offset below 0', torchZip(tensorPickle(2, -1, [2], [1]), two), /a tensor whose offset, size/],
    ['a size below 0', torchZip(tensorPickle(2, 0, [-2], [1]), two), /a tensor whose offset, size/],
    [
      'more strides than sizes',
      torchZip(tensorPickle(2, 0, [2], [1, 1]), two),
      /a tensor whose offset, size/,
    ],
    [
      'an offset beyond its storage',
      torchZip(tensorPickle(2, 2_000_000_000, [1], [1]), two),
      /w: \[1\] needs values up to 2000000001 of its storage, which holds 2/,
    ],
    [
      'a stride beyond its storage',
      torchZip(tensorPickle(2, 0, [2], [2_000_000_000]), two),
      /w: \[2\] needs values up to 2000000001 of its storage/,
    ],
    [
      'seventeen dimensions',
      torchZip(tensorPickle(2, 0, Array<number>(17).fill(1), Array<number>(17).fill(1)), two),
      /a tensor of 17 dimensions, expected at most 16/,
    ],
    ['two entries in one place', overlapping(torchZip(data, two)), /entry m\/data\/0: overlaps m\/data\.pkl/],
    ['an encrypted entry', patched(good, 8, 1), /m\/data\.pkl: is encrypted/],
    ['an entry packed otherwise', patched(good, 10, 12), /m\/data\.pkl: is packed by method 12/],
    [
      'a bomb of opcodes',
      zip(
        { name: 'm/data.pkl', data: pickle('N'.repeat(3_000_000)), deflated: true },
        { name: 'm/data/0', data: randomBytes(40_000) },
      ),
      /m\/data\.pkl: byte 1000001 of the pickle: has more than 1000000 opcodes/,
    ],
    [
      'a damaged storage',
      torchZip(data, two).map((byte, i, all) => (i === Buffer.from(all).indexOf(two) ? byte ^ 1 : byte)),
      /m\/data\/0: CRC-32 is [0-9a-f]{8}, the directory says/,
    ],
    [
      'an unknown byte order',
      torchZip(data, two, { name: 'm/byteorder', data: Buffer.from('odd') }),
      /says "odd", expected little or big/,
    ],
    [
      'a name that climbs out',
      torchZip(data, two, { name: '../../etc/cron.d/x', data: two }),
      /"\.\.\/\.\.\/etc\/cron\.d\/x": is no name inside an archive/,
    ],
    ['an absolute name', torchZip(data, two, { name: '/tmp/x', data: two }), /"\/tmp\/x": is no name/],
    ['a name twice', torchZip(data, two, { name: 'm/data/0', data: two }), /holds entry m\/data\/0 twice/],
    [
      'a zip bomb',
      torchZip(data, two, { name: 'm/data/1', data: new Uint8Array(1_000_000), deflated: true }),
      /would inflate from \d+ to \d+ bytes.*a zip bomb/,
    ],
    [
      'an entry larger than announced',
      zip({ name: 'm/data.pkl', data, deflated: true, size: 10 }),
      /m\/data\.pkl: cannot be inflated to the announced 10 bytes/,
    ],
    [
      'a dictionary without tensors',
      zip({ name: 'data.pkl', data: pickle('}', text('epoch'), 'K\x03', 's') }),
      /holds a dictionary with the keys epoch; expected tensors by name/,
    ],
    [
      'a dictionary that holds itself',
      zip({ name: 'data.pkl', data: pickle('}', 'q\x00', text('model'), 'h\x00', 's') }),
      /holds a dictionary with the keys model/,
    ],
    ['a list', zip({ name: 'data.pkl', data: pickle(']') }), /holds no dictionary/],
    ['a plain pickle', pickle(']'), /is a pickle that torch\.save did not write/],
    [
      'a tar of before 0.1.10',
      Buffer.concat([Buffer.alloc(257, 'a'), Buffer.from('ustar\0')]),
      /is a tar file as PyTorch wrote before 0\.1\.10/,
    ],
    [
      'an npz of objects',
      zip({ name: 'w.npy', data: npyBytes('|O', [1], two) }),
      /w\.npy: holds \|O, expected numbers/,
    ],
    [
      'an npz cut short',
      zip({ name: 'w.npy', data: npyBytes('<f4', [3], two) }),
      /w\.npy: \[3\] needs values up to 3 of its storage, which holds 2/,
    ],
    [
      'a legacy file cut short',
      cut(checkpointBytes('kylemin-s3d.pt'), 0.9),
      /storage \d+ needs \d+ numbers of torch\.FloatStorage, the file ends before: truncated/,
    ],
    [
      'a legacy file cut in its pickle',
      cut(checkpointBytes('kylemin-s3d.pt'), 0.1),
      /are announced|takes a value|truncated/,
    ],
  ];

  it.each(cases)('%s', (_, bytes, message) => {
    const readAll = (): void => {
      for (const tensor of parseCheckpoint(bytes, 'm.pt').tensors.values()) tensor.read();
    };

    expect(readAll).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }));
    expect(readAll).toThrow(message);
    expect(readAll).toThrow(/^m\.pt/);
  });

  it('whatever byte is changed, nothing but a refusal comes of it', () => {
    const original = torchZip(tensorPickle(6, 0, [2, 3], [3, 1]), floats(0, 1, 2, 3, 4, 5));
    for (let at = 0; at < original.length; at++) {
      const changed = Uint8Array.from(original);
      changed[at] = 255 - (changed[at] ?? 0);
      try {
        for (const tensor of parseCheckpoint(changed, 'm.pt').tensors.values()) tensor.read();
      } catch (error) {
        expect(error).toMatchObject({ code: 'MODEL_INVALID' });
      }
    }
  });
});
