import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseCheckpoint } from '../../src/checkpoints/read-checkpoint.ts';
import { checkpointBytes } from '../support/checkpoint-goldens.ts';
import { npyBytes } from '../support/npy.ts';
import { pickle, text } from './pickles.ts';
import { zip, tensorPickle, floats, torchZip } from './checkpoint-files.ts';

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
