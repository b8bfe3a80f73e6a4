import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Model, Weights } from '../../../src/inference/model.ts';
import { buildNetwork } from '../../../src/inference/network/build.ts';
import { bindWeights } from '../../../src/inference/weights/bind-weights.ts';
import { loadModel } from '../../../src/inference/weights/load-model.ts';
import { randomWeights } from '../../../src/inference/weights/random-weights.ts';
import { writeSafetensors } from '../../../src/inference/weights/safetensors.ts';
import { createUntrainedModel } from '../../../src/inference/weights/untrained-model.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const TINY = {
  variant: 's3d-g',
  frames: 4,
  height: 16,
  width: 16,
  classes: 3,
  widthMultiplier: 0.05,
} as const;

async function saveModel(dir: string, { manifest, weights }: Model): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest));
  await writeFile(join(dir, 'model.safetensors'), writeSafetensors(weights));
}

describe('random weights', () => {
  it('are the same for the same seed, and others for another', () => {
    const digest = (seed: number): string => createUntrainedModel({ network: TINY, seed }).digest;

    expect(digest(1)).toBe(digest(1));
    expect(digest(2)).not.toBe(digest(1));
  });

  it('are the same on every machine', () => {
    const bytes = writeSafetensors(randomWeights(TINY, 42));

    expect(createHash('sha256').update(bytes).digest('hex')).toBe(
      '5e5bcf8ffee504c90ffaa7faacc512135806d6fdce5ccef5606e07101b9d1762',
    );
  });

  it('are He-normal where they convolve', () => {
    const { shape, data } = randomWeights({ variant: 's3d' }, 3).get('Conv_2c.spatial.weight')!;
    const mean = data.reduce((a, b) => a + b, 0) / data.length;
    const variance = data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length;

    expect(shape).toEqual([192, 64, 1, 3, 3]);
    expect(Math.abs(mean)).toBeLessThan(1e-3);
    expect(variance / (2 / (64 * 9))).toBeCloseTo(1, 1);
  });
});

describe('an untrained model', () => {
  it('says so in its id, and its labels mean nothing', () => {
    const { manifest } = createUntrainedModel({
      network: { ...TINY, variant: 'top-heavy-s3d:mixed_4b' },
      seed: 1,
    });

    expect(manifest.id).toBe('untrained-top-heavy-s3d:Mixed_4b');
    expect(manifest.labels).toEqual(['class-0', 'class-1', 'class-2']);
    expect(manifest.sampler).toEqual({ kind: 'none' });
  });

  it('samples by default where it has an SGS layer', () => {
    const sgs = { after: 'Conv_2b', embedding: { kind: 'pooled', grid: 1 }, boundary: 'as_is' } as const;

    expect(createUntrainedModel({ network: { ...TINY, sgs }, seed: 1 }).manifest.sampler.kind).toBe(
      'ordered',
    );
  });

  it('wants one label a class', () => {
    expect(() => createUntrainedModel({ network: TINY, seed: 1, labels: ['walk'] })).toThrow(
      expect.objectContaining({ code: 'MODEL_INVALID' }),
    );
  });
});

describe('binding weights to a network', () => {
  const network = buildNetwork(TINY);
  const good = randomWeights(TINY, 1);
  const shape = [3, 51];

  it('takes exactly what the network demands and lists the rest', () => {
    const extra: Weights = new Map([['head.extra', { shape: [1], data: Float32Array.of(1) }], ...good]);

    const { weights, unused } = bindWeights(network, extra, 'm');

    expect([...weights.keys()]).toEqual([...good.keys()]);
    expect(unused).toEqual(['head.extra']);
  });

  it('names a missing tensor and the shape it should have', () => {
    const weights = new Map(good);
    weights.delete('Head.weight');

    expect(() => bindWeights(network, weights, 'my.safetensors')).toThrow(
      /^my\.safetensors: 1 of \d+ tensors do not fit s3d-g: Head\.weight: missing, wanted \[3, \d+\]$/,
    );
  });

  it('names both shapes of a tensor that does not fit', () => {
    const weights = new Map(good);
    weights.set('Mixed_4b.b1.reduce.weight', { shape, data: new Float32Array(153) });

    expect(() => bindWeights(network, weights, 'm')).toThrow(
      /Mixed_4b\.b1\.reduce\.weight: found \[3, 51\], wanted \[5, \d+, 1, 1, 1\]/,
    );
  });

  it('refuses values that are not finite', () => {
    const weights = new Map(good);
    weights.set('Head.bias', { shape: [3], data: Float32Array.of(0, NaN, 0) });

    expect(() => bindWeights(network, weights, 'm')).toThrow(/Head\.bias: value 1 is NaN/);
  });

  it('names some of many misfits and counts the others', () => {
    expect(() => bindWeights(network, new Map(), 'm')).toThrow(
      /Conv_1a\.spatial\.weight: .*; and \d{3} more$/,
    );
  });
});

describe('loading a model', () => {
  const model = createUntrainedModel({ network: TINY, seed: 9 });

  it('takes its folder, its manifest or its weights file', async () => {
    const dir = await temporaryDirectory();
    await saveModel(dir, model);

    for (const path of [dir, join(dir, 'manifest.json'), join(dir, 'model.safetensors')]) {
      expect(await loadModel(path)).toEqual(model);
    }
  });

  it.each(['plain.safetensors', 'plain.json'])('takes a folder that is called %s', async (name) => {
    const dir = join(await temporaryDirectory(), name);
    await saveModel(dir, model);

    expect(await loadModel(dir)).toEqual(model);
  });

  it('refuses weights whose digest is not that of the manifest', async () => {
    const dir = await temporaryDirectory();
    await saveModel(dir, model);
    const bytes = writeSafetensors(model.weights);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(join(dir, 'model.safetensors'), bytes);

    await expect(loadModel(dir)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(
        /model\.safetensors: SHA-256 is [0-9a-f]{64}, but .*manifest\.json says/,
      ) as string,
    });
  });

  it('refuses weights of another network, with path and both shapes', async () => {
    const dir = await temporaryDirectory();
    const manifest = { ...model.manifest, network: { ...model.manifest.network, widthMultiplier: 0.1 } };
    await saveModel(dir, { ...model, manifest });

    await expect(loadModel(dir)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(
        /Conv_1a\.spatial\.weight: found \[3, 3, 1, 7, 7\], wanted \[6, 3/,
      ) as string,
    });
  });

  it.each(['nowhere', 'nowhere/manifest.json', 'nowhere/model.safetensors'])(
    'names what is missing: %s',
    async (name) => {
      const path = join(await temporaryDirectory(), name);

      await expect(loadModel(path)).rejects.toMatchObject({
        code: 'MODEL_INVALID',
        message: expect.stringContaining('nowhere') as string,
      });
    },
  );
});
