import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, test, vi } from 'vitest';
import { npyBytes } from '../support/npy.ts';
import { fileDirectory } from '../support/temporary-directory.ts';
import { expectRefused, type Wrong } from './refusal.ts';

// Each test is a process or two that mostly loads: one a core.
vi.setConfig({ maxConcurrency: 2 });

const directory = fileDirectory();
const at = (name: string): string => path.join(directory(), name);

describe.concurrent('.npy files', () => {
  beforeAll(async () => {
    const save = (name: string, descr: string, shape: readonly number[], bytes: number): Promise<void> =>
      writeFile(
        at(name),
        npyBytes(descr, shape, new Uint8Array(shape.reduce((product, n) => product * n, bytes))),
      );
    await save('floats.npy', '<f4', [4, 32, 32, 3], 4);
    await save('grey.npy', '|u1', [4, 32, 32], 1);
    await save('pixels.npy', '|u1', [4, 32, 32, 3], 1);
    await save('integers.npy', '<i8', [4, 8], 8);
    await save('cube.npy', '<f4', [4, 8, 2], 4);
    await save('embeddings.npy', '<f4', [4, 8], 4);
    await writeFile(at('cut.npy'), (await readFile(at('pixels.npy'))).subarray(0, 1000));
    await writeFile(at('letter.npy'), 'Dear numpy,');
  });
  const infer = (name: string) => (): readonly string[] => ['infer', at(name), '--model', 's3d-g', '--json'];
  const sample =
    (name: string, ...flags: string[]) =>
    (): readonly string[] => ['sample', at(name), '--sampler', ...flags, '--json'];

  test.each<Wrong>([
    {
      what: 'infer: floats',
      args: infer('floats.npy'),
      code: 2,
      says: [/INPUT_INVALID: .*floats\.npy: a clip must be uint8 \[T, H, W, 3\], not float \[4, 32, 32, 3\]/],
    },
    {
      what: 'infer: no channels',
      args: infer('grey.npy'),
      code: 2,
      says: [/INPUT_INVALID: .*grey\.npy: a clip must be uint8 \[T, H, W, 3\], not uint8 \[4, 32, 32\]/],
    },
    {
      what: 'infer: cut short',
      args: infer('cut.npy'),
      code: 2,
      says: [
        /INPUT_INVALID: .*cut\.npy: shape \[4, 32, 32, 3\] of \|u1 needs 12288 bytes, the file holds 872/,
      ],
    },
    {
      what: 'infer: no .npy',
      args: infer('letter.npy'),
      code: 2,
      says: [/INPUT_INVALID: .*letter\.npy: is no \.npy file; save it with numpy\.save/],
    },
    {
      what: 'infer: not there',
      args: infer('none.npy'),
      code: 2,
      says: [/INPUT_INVALID: .*none\.npy: cannot be read: ENOENT/],
    },
    {
      what: 'sample: integers',
      args: sample('integers.npy', 'ordered'),
      code: 2,
      says: [/INPUT_INVALID: .*integers\.npy: holds <i8; save uint8, float32 or float64/],
    },
    {
      what: 'sample: pixels',
      args: sample('pixels.npy', 'ordered'),
      code: 2,
      says: [/INPUT_INVALID: .*pixels\.npy: embeddings must be float32 \[T, L\]/],
    },
    {
      what: 'sample: three axes',
      args: sample('cube.npy', 'ordered'),
      code: 2,
      says: [/INPUT_INVALID: .*cube\.npy: embeddings must be float32 \[T, L\], not \[4, 8, 2\]/],
    },
    {
      what: 'sample: unknown kernel',
      args: sample('embeddings.npy', 'reference', '--kernel', 'gauss'),
      code: 2,
      says: [/SAMPLER_INVALID: sampler\.kernel: expected one of linear, .*, not gauss/],
    },
    {
      what: 'sample: unknown sampler',
      args: sample('embeddings.npy', 'orderd'),
      code: 2,
      says: [/SAMPLER_INVALID: sampler\.kind: expected one of none, .*, not orderd/],
    },
    {
      what: 'sample: negative width',
      args: sample('embeddings.npy', 'ordered', '--width', '-1'),
      code: 2,
      says: [/option '--width <δ>' argument '-1' is invalid\. Expected a number of 0 or more/],
    },
  ])('$what', expectRefused);
});
