import { describe, expect, it } from 'vitest';
import { buildNetwork } from '../../../src/inference/network/build.ts';
import { countCost } from '../../../src/inference/network/cost.ts';
import type { SgsOptions } from '../../../src/inference/network/graph.ts';
import { listVariantNames } from '../../../src/inference/network/variants.ts';
import { weightShapes } from '../../../src/inference/network/weight-shapes.ts';

const LEARNED: SgsOptions = {
  after: 'Mixed_3b',
  embedding: { kind: 'learned', size: 8 },
  boundary: 'as_is',
};

describe('weightShapes', () => {
  it('demands as many parameters as the cost model counts, in every family member', () => {
    for (const variant of listVariantNames()) {
      for (const options of [{}, { gateBias: false, stem: 'dense' as const }, { sgs: LEARNED }]) {
        const network = buildNetwork({ ...options, variant });
        const trained = [...weightShapes(network)].filter(([name]) => !name.includes('.running_'));
        const total = trained.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);

        expect(total).toBe(countCost(network).parameters);
      }
    }
  });

  it('names and shapes tensors as PyTorch does', () => {
    const shapes = weightShapes(buildNetwork({ variant: 's3d-g', sgs: LEARNED }));

    expect(Object.fromEntries(shapes)).toMatchObject({
      'Conv_1a.spatial.weight': [64, 3, 1, 7, 7],
      'Conv_1a.temporal.weight': [64, 64, 7, 1, 1],
      'Conv_1a.temporal.bn.running_var': [64],
      'Conv_2c.gate.weight': [192, 192],
      'Conv_2c.gate.bias': [192],
      'Mixed_3b.b1.reduce.weight': [96, 192, 1, 1, 1],
      'Mixed_3b.b3.weight': [32, 192, 1, 1, 1],
      'SGS.fc1.weight': [128, 256],
      'SGS.fc1.bias': [128],
      'SGS.fc2.weight': [8, 128],
      'SGS.fc2.bias': [8],
      'SGS.bn.running_mean': [8],
      'Head.weight': [400, 1024],
      'Head.bias': [400],
    });
  });

  it('demands nothing for what has no weights: gates without bias, pooled embeddings', () => {
    const sgs = { ...LEARNED, embedding: { kind: 'pooled', grid: 2 } } as const;
    const names = [...weightShapes(buildNetwork({ variant: 's3d-g', gateBias: false, sgs })).keys()];

    expect(names.filter((name) => name.startsWith('SGS') || name.endsWith('gate.bias'))).toEqual([]);
  });
});
