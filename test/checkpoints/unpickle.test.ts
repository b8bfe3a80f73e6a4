import { describe, expect, it } from 'vitest';
import type { PickleValue } from '../../src/checkpoints/pickle/types.ts';
import { unpickle } from '../../src/checkpoints/pickle/unpickle.ts';
import { torchHost } from '../../src/checkpoints/readers/torch-host.ts';
import { global, pickle, text } from './pickles.ts';

const read = (bytes: Uint8Array): PickleValue => unpickle(bytes, { place: 'm.pt', host: torchHost }).value;

describe('a pickle becomes data', () => {
  it('numbers, texts, tuples and dictionaries', () => {
    const bytes = pickle(
      ...['}', '(', text('whole'), Buffer.from([0x4a, 0xfe, 0xff, 0xff, 0xff])],
      ...[text('real'), Buffer.from([0x47, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0])],
      ...[text('long'), Buffer.from([0x8a, 2, 0x00, 0xff]), text('pair'), 'K\x01', 'N', 0x86, 'u'],
    );

    expect(read(bytes)).toEqual(
      new Map<string, unknown>([
        ['whole', -2],
        ['real', 1.5],
        ['long', -256],
        ['pair', [1, null]],
      ]),
    );
  });

  it('what stands beside weights in training checkpoints is carried and never built', () => {
    const namespace = pickle(global('argparse', 'Namespace'), ')', 0x81, '}', text('lr'), 'K\x01', 's', 'b');

    expect(read(namespace)).toEqual({ kind: 'host', object: { type: 'inert', name: 'argparse.Namespace' } });
  });

  it('one pickle ends where it says, so that another may follow', () => {
    const first = pickle('K\x05');

    expect(unpickle(Buffer.concat([first, pickle('N')]), { place: 'm', host: torchHost }).end).toBe(
      first.length,
    );
  });
});

describe('a hostile pickle is refused, with place, byte and reason', () => {
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    [
      'a system call',
      pickle(global('os', 'system'), text('true'), 0x85, 'R'),
      /^m\.pt: byte 2 of the pickle: refers to os\.system.*nothing was run/,
    ],
    ['a system call by another name', pickle(text('posix'), text('system'), 0x93), /refers to posix\.system/],
    ['eval', pickle(global('builtins', 'eval'), text('1'), 0x85, 'R'), /refers to builtins\.eval/],
    [
      'a pickle within',
      pickle(global('torch.storage', '_load_from_bytes'), 'C\x01a', 0x85, 'R'),
      /torch\.storage\._load_from_bytes/,
    ],
    ['a whole module', pickle(global('torchvision.models.video.s3d', 'S3D')), /save only its state_dict\(\)/],
    ['an attribute of what is known', pickle(global('torch', 'load')), /refers to torch\.load/],
    ['a call of data', pickle('K\x01', ')', 'R'), /byte 5 .*calls something that is no function/],
    ['a call of a storage type', pickle(global('torch', 'FloatStorage'), ')', 'R'), /which is no function/],
    ['an absent memo', pickle('h\x09'), /byte 2 .*memo 9, which holds nothing/],
    [
      'a text longer than the file',
      pickle(Buffer.from([0x58, 0xff, 0xff, 0xff, 0xff])),
      /4294967295 more bytes are announced/,
    ],
    ['a text of 2^63 bytes', pickle(Buffer.from([0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80])), /truncated or hostile/],
    [
      'a number of 2^31 bytes',
      pickle(Buffer.from([0x8b, 0xff, 0xff, 0xff, 0x7f])),
      /a whole number of 2147483647 bytes/,
    ],
    [
      'more opcodes than weights take: a byte of the file each, but hundreds of memory',
      pickle('N'.repeat(1_000_001)),
      /byte 1000001 of the pickle: has more than 1000000 opcodes/,
    ],
    [
      'a text beyond what a configuration needs',
      pickle('X', Buffer.from([1, 0, 0, 1]), Buffer.alloc(2 ** 24 + 1, 'a')),
      /byte 2 of the pickle: a text of 16777217 bytes/,
    ],
    ['opcodes of text pickles', pickle('(dp0\n'), /opcode 0x64 \(d\) is none that weights need/],
    ['a class from the extension registry', pickle(Buffer.from([0x82, 1])), /opcode 0x82 is none/],
    ['an empty stack', pickle(), /takes a value from an empty stack/],
    ['a mark that nobody set', pickle('t'), /a mark that nobody set/],
    ['a value below the mark', pickle('K\x01', '(', '0'), /empty stack/],
    ['INST', pickle('(', 'ios\nsystem\n'), /opcode 0x69 \(i\) is none that weights need/],
    ['an unknown protocol', Buffer.from([0x80, 9, 0x4e, 0x2e]), /protocol 9, expected 2 to 5/],
    ['no end', Buffer.from([0x80, 2, 0x4e]), /1 more bytes are announced, 0 are left/],
    ['a key without a value', pickle('}', '(', 'K\x01', 'u'), /a key without a value/],
    ['state for a number', pickle('K\x01', '}', 'b'), /gives a state to something that has none/],
    ['a storage that is a text', pickle(text('storage'), 'Q'), /a persistent id that is no storage/],
    [
      'a tensor of a list',
      pickle(global('torch._utils', '_rebuild_tensor_v2'), '(', ']', 'K\x00', ')', ')', 't', 'R'),
      /a tensor without a storage/,
    ],
  ];

  it.each(cases)('%s', (_, bytes, message) => {
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }));
    expect(() => read(bytes)).toThrow(message);
  });

  it('a memo bomb: one list copied by many calls', () => {
    const pair = Buffer.concat([Buffer.from('K\x01K\x02'), Buffer.from([0x86])]);
    const list = [']', 'q\x01', '(', ...Array<Uint8Array>(2000).fill(pair), 'e', '0'];
    const copy = Buffer.concat([
      Buffer.from(global('collections', 'OrderedDict')),
      Buffer.from('h\x01'),
      Buffer.from([0x85]),
      Buffer.from('R0'),
    ]);

    expect(() => read(pickle(...list, ...Array<Uint8Array>(400).fill(copy), 'N'))).toThrow(
      /calls copy more than the file holds/,
    );
  });

  it('a list within lists a hundred thousand deep, or that holds itself, only costs its bytes', () => {
    const deep = read(pickle(']'.repeat(100_000), 'a'.repeat(99_999)));
    const own = read(pickle(']', 'q\x00', 'h\x00', 'a'));

    expect(deep).toHaveLength(1);
    expect((own as unknown[])[0]).toBe(own);
  });
});
