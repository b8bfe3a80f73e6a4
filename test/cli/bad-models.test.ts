import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { writeSafetensors } from '../../src/inference/weights/safetensors.ts';
import { runCli } from '../support/cli.ts';
import { goldenModel } from '../support/golden-weights.ts';
import { npyBytes } from '../support/npy.ts';
import { fileDirectory } from '../support/temporary-directory.ts';
import { TINY, type Wrong } from './refusal.ts';

// Each test is a process or two that mostly loads: one a core.
vi.setConfig({ maxConcurrency: 2 });

const directory = fileDirectory();
const at = (name: string): string => path.join(directory(), name);

const SMALL = {
  variant: 's3d-g',
  frames: 4,
  height: 32,
  width: 32,
  classes: 2,
  widthMultiplier: 0.125,
} as const;

describe.concurrent('models and samplers', () => {
  const clip = (): string => at('clip.npy');
  beforeAll(async () => {
    await writeFile(clip(), npyBytes('|u1', [4, 32, 32, 3], new Uint8Array(4 * 32 * 32 * 3)));
  });

  test.each<Wrong>([
    {
      what: 'unknown network',
      args: () => ['infer', clip(), '--model', 's4d'],
      code: 2,
      says: [/NETWORK_UNKNOWN: no network "s4d"; known: i3d, /],
    },
    {
      what: 'unknown layer',
      args: () => ['infer', clip(), '--model', 's3d-g', '--sampler', 'ordered', '--sgs-after', 'Mixed_9z'],
      code: 2,
      says: [/NETWORK_UNKNOWN: no layer "Mixed_9z"; known: Conv_1a, /],
    },
    {
      what: 'unknown layer of a network',
      args: () => ['models', 'inspect', 'top-heavy-s3d:Mixed_9z', '--json'],
      code: 2,
      says: [/NETWORK_UNKNOWN: .*Mixed_9z/],
    },
    {
      what: 'unknown sampler',
      args: () => [
        'infer',
        clip(),
        ...TINY.filter((flag) => !['--frames', '4', '--size', '32'].includes(flag)),
        '--sampler',
        'orderd',
      ],
      code: 2,
      says: [/SAMPLER_INVALID: sampler\.kind: expected one of none, uniform, reference, ordered, not orderd/],
    },
    {
      what: 'unknown engine',
      args: () => ['infer', clip(), '--model', 's3d-g', '--engine', 'tpu'],
      code: 2,
      says: [
        /option '--engine <kind>' argument 'tpu' is invalid\. Allowed choices are onnx, tfjs, reference, null/,
      ],
    },
    {
      what: 'no such model',
      args: () => ['infer', clip(), '--model', at('none/model.safetensors')],
      code: 2,
      says: [/MODEL_INVALID: .*none\/model\.safetensors: no such model folder.*; check the path/],
    },
    {
      what: 'frames that are no number',
      args: () => ['infer', clip(), '--model', 's3d-g', '--frames', 'four'],
      code: 2,
      says: [/option '--frames <T>' argument 'four' is invalid\. Expected a whole number of 1 or more/],
    },
    {
      what: 'a rate that is no number',
      args: () => ['infer', clip(), '--model', 's3d-g', '--fps', 'four'],
      code: 2,
      says: [/option '--fps <r>' argument 'four' is invalid\. Expected a number above 0/],
    },
    {
      what: 'a seed that is no number',
      args: () => ['infer', clip(), '--model', 's3d-g', '--seed', 'four'],
      code: 2,
      says: [/option '--seed <n>' argument 'four' is invalid\. Expected a whole number of 0 or more/],
    },
  ])('$what', async (wrong) => {
    const { code, stdout, stderr } = await runCli(wrong.args());
    for (const text of wrong.says) expect(stderr).toMatch(text);
    expect({ code, stdout }).toEqual({ code: wrong.code, stdout: '' });
  });

  test('weights of another shape: the tensor by its dotted path, with both shapes', async () => {
    const { manifest, weights } = goldenModel({ network: SMALL, seed: 1 });
    const [name, tensor] =
      [...weights].find(([key]) => key === 'Mixed_3b.branch1.0.spatial.weight') ?? [...weights][0]!;
    const shape = [...tensor.shape];
    shape[0] = shape[0]! + 1;
    const size = shape.reduce((product, n) => product * n, 1);
    const bytes = writeSafetensors(new Map([...weights, [name, { shape, data: new Float32Array(size) }]]));
    const model = at('wrong-model');
    await mkdir(model);
    await writeFile(path.join(model, 'model.safetensors'), bytes);
    await writeFile(
      path.join(model, 'manifest.json'),
      JSON.stringify({ ...manifest, weights: { ...manifest.weights, sha256: sha256(bytes) } }),
    );

    const { code, stdout, stderr } = await runCli(['infer', clip(), '--model', model, '--json']);

    const shapes = `${name}: found [${shape.join(', ')}], wanted [${tensor.shape.join(', ')}]`;
    expect(name).toMatch(/^\w+(\.\w+)+$/);
    expect(stderr).toMatch(
      /MODEL_INVALID: .*wrong-model\/model\.safetensors: 1 of \d+ tensors do not fit s3d-g/,
    );
    expect(stderr).toContain(shapes);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('weights that are not those of the manifest', async () => {
    const { manifest, weights } = goldenModel({ network: SMALL, seed: 1 });
    const model = at('damaged-model');
    await mkdir(model);
    await writeFile(path.join(model, 'model.safetensors'), writeSafetensors(weights).subarray(0, -4));
    await writeFile(path.join(model, 'manifest.json'), JSON.stringify(manifest));
    const { code, stderr } = await runCli(['infer', clip(), '--model', model]);

    expect(stderr).toMatch(
      /MODEL_INVALID: .*model\.safetensors: SHA-256 is \w+, but .*manifest\.json says \w+: the file is damaged or of another version/,
    );
    expect(code).toBe(2);
  });
});

describe.concurrent('without a model the shipped one is meant', () => {
  test.each(['evaluate', 'infer'])('%s', async (command) => {
    const missing = at('nothing-there');
    const args = command === 'evaluate' ? ['evaluate', '--data', missing] : ['infer', missing];

    const { code, stderr } = await runCli(args);

    expect(code).toBe(2);
    expect(stderr).toContain('INPUT_INVALID');
    expect(stderr).toContain('nothing-there');
  });
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
