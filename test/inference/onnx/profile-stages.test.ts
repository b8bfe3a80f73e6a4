import { describe, expect, test } from 'vitest';
import { profileStages, stageTimes } from '../../../src/inference/engines/onnx/profile-stages.ts';
import { createUntrainedModel } from '../../../src/inference/weights/untrained-model.ts';

const NETWORK = { variant: 's3d-g', frames: 4, height: 32, width: 32, widthMultiplier: 0.1, classes: 3 };

describe('the profile of a network', () => {
  test('has a time for each row of the layer table, from pixels to head', async () => {
    const model = createUntrainedModel({ network: NETWORK, seed: 1 });

    const stages = await profileStages(model, { clips: 2, threads: 1 });

    expect(stages.map(({ stage }) => stage)).toEqual([
      ...['input', 'Conv_1a', 'MaxPool_2a', 'Conv_2b', 'Conv_2c', 'MaxPool_3a', 'Mixed_3b', 'Mixed_3c'],
      ...['MaxPool_4a', 'Mixed_4b', 'Mixed_4c', 'Mixed_4d', 'Mixed_4e', 'Mixed_4f', 'MaxPool_5a'],
      ...['Mixed_5b', 'Mixed_5c', 'Head'],
    ]);
    expect(stages.every(({ ms }) => ms > 0)).toBe(true);
  });

  test('is refused with SGS: that is two graphs', async () => {
    const sgs = {
      after: 'Conv_2b',
      embedding: { kind: 'pooled', grid: 1 },
      boundary: 'as_is',
    } as const;
    const model = createUntrainedModel({ network: { ...NETWORK, sgs }, seed: 1 });

    await expect(profileStages(model, { clips: 1, threads: 1 })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('leaves out the first clip, and gives what has no name of ours to the stage before it', () => {
    const clip = (conv: number) => [
      { cat: 'Node', name: 'A/Conv_1_kernel_time', dur: conv },
      { cat: 'Node', name: 'ReorderOutput_token_1_kernel_time', dur: 1000 },
      { cat: 'Node', name: 'B/t2_nchwc_kernel_time', dur: 500 },
      { cat: 'Session', name: 'model_run', dur: 9e9 },
    ];

    const times = stageTimes(
      [...clip(90_000), ...clip(2000), ...clip(3000), ...clip(9000)],
      new Set(['A', 'B']),
    );

    expect(times).toEqual([
      { stage: 'A', ms: 4 },
      { stage: 'B', ms: 0.5 },
    ]);
  });
});
