import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Model } from '../../../src/inference/model.ts';
import { userModels } from '../../../src/inference/weights/find-model.ts';
import { joinHeads } from '../../../src/inference/weights/join-heads.ts';
import { loadModel } from '../../../src/inference/weights/load-model.ts';
import { writeSafetensors } from '../../../src/inference/weights/safetensors.ts';
import { createUntrainedModel } from '../../../src/inference/weights/untrained-model.ts';
import { headed, saveModel, tinyModel } from '../../support/evaluation-clips.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describe('a model of heads', () => {
  let folder: string;
  beforeEach(async () => {
    const data = await temporaryDirectory();
    vi.stubEnv('XDG_DATA_HOME', data);
    folder = join(data, 'heads');
    await mkdir(userModels(), { recursive: true });
  });

  /** The head alone, beside what it says of its backbone. */
  async function saveHead(model: Model, base: string): Promise<void> {
    await saveModel(folder, model);
    const head = new Map([...model.weights].filter(([name]) => name.startsWith('Head.')));
    const bytes = writeSafetensors(head);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const weights = { file: 'model.safetensors', sha256, base: { model: 'backbone', sha256: base } };
    await writeFile(join(folder, 'model.safetensors'), bytes);
    await writeFile(join(folder, 'manifest.json'), JSON.stringify({ ...model.manifest, weights }));
  }

  it('takes the tensors that its file lacks from the backbone of the user', async () => {
    const backbone = tinyModel(['a', 'b']);
    await saveModel(join(userModels(), 'backbone'), backbone);
    const model = headed(['fight']);
    await saveHead(model, backbone.manifest.weights.sha256);

    const loaded = await loadModel(folder);

    expect(loaded.weights).toEqual(model.weights);
    expect(loaded.digest).not.toBe(`sha256:${loaded.manifest.weights.sha256}`);
  });

  it('names the command that fetches a backbone which is not there', async () => {
    await saveHead(headed(['fight']), 'a'.repeat(64));

    await expect(loadModel(folder)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(
        /a head on backbone, which is not on this machine: .*"actionstream models pull backbone"/,
      ) as string,
    });
  });

  it('refuses a backbone of that name with other weights', async () => {
    await saveModel(join(userModels(), 'backbone'), tinyModel(['a', 'b']));
    await saveHead(headed(['fight']), 'a'.repeat(64));

    await expect(loadModel(folder)).rejects.toThrow(/whose SHA-256 is a{64}, but that of .*backbone is/);
  });
});

describe('heads that share a pass', () => {
  it('are one model with the labels of all and one background', () => {
    const [fights, falls] = [headed(['background', 'fight'], 1), headed(['background', 'fall'], 2)];

    const joined = joinHeads([fights, falls]);

    const rowOf = (model: Model, row: number): number[] => {
      const { shape, data } = model.weights.get('Head.weight')!;
      const size = shape[1]!;
      return [...data.subarray(row * size, (row + 1) * size), model.weights.get('Head.bias')!.data[row]!];
    };
    expect(joined.manifest).toMatchObject({
      id: 'of-fight+of-fall',
      labels: ['background', 'fight', 'fall'],
      background: 'background',
      network: { classes: 3 },
      thresholds: { fight: { on: 0.5 }, fall: { on: 0.5 } },
    });
    expect([0, 1, 2].map((row) => rowOf(joined, row))).toEqual([
      ...[0, 1].map((row) => rowOf(fights, row)),
      rowOf(falls, 1),
    ]);
  });

  const fights = headed(['fight']);
  const { manifest } = fights;
  it.each<[string, Model, RegExp]>([
    ['the same label', headed(['fight'], 2), /both have the label fight/],
    [
      'another clip length',
      {
        ...fights,
        manifest: { ...manifest, labels: ['fall'], network: { ...manifest.network, frames: 16 } },
      },
      /they differ in frames: 8 and 16/,
    ],
    [
      'another rate',
      { ...fights, manifest: { ...manifest, labels: ['fall'], clip: { fps: 25, stride: 4 } } },
      /they differ in fps: 10 and 25/,
    ],
    [
      'another backbone',
      {
        ...fights,
        manifest: { ...manifest, labels: ['fall'] },
        weights: createUntrainedModel({ network: manifest.network, seed: 9, labels: ['fall'] }).weights,
      },
      /their backbones differ, first in Conv_1a/,
    ],
    [
      'labels that are one distribution',
      { ...fights, manifest: { ...manifest, labels: ['fall'], activation: 'softmax' } },
      /no labels that each stand for themselves/,
    ],
  ])('are refused with %s', (_, other, problem) => {
    expect(() => joinHeads([fights, other])).toThrow(problem);
  });
});
