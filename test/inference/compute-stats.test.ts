import { describe, expect, it } from 'vitest';
import { createComputeAccounting, type EngineRun } from '../../src/inference/compute-stats.ts';
import { buildNetwork } from '../../src/inference/network/build.ts';
import { countCost } from '../../src/inference/network/cost.ts';

const RUN: EngineRun = {
  sampler: 'ordered',
  keptSteps: 5,
  lowerMs: 3,
  samplerMs: 1,
  upperMs: 2,
  engine: 'reference',
  device: 'cpu',
};
const network = buildNetwork({
  frames: 16,
  height: 64,
  width: 64,
  sgs: { after: 'Conv_2b', embedding: { kind: 'learned', size: 8 }, boundary: 'as_is' },
});
const dense = buildNetwork({ frames: 16, height: 64, width: 64 });

describe('compute receipt', () => {
  it('charges what the cost model counts for the kept steps', () => {
    const stats = createComputeAccounting(network)(RUN);

    expect(stats.multiplyAdds).toBe(countCost(network, { keptSteps: 5 }).multiplyAdds);
    expect(stats).toMatchObject({
      inputSteps: 8,
      keptSteps: 5,
      lowerMs: 3,
      samplerMs: 1,
      upperMs: 2,
      queueMs: 0,
    });
  });

  it('compares with the same network without SGS: embeddings are no saving', () => {
    const stats = createComputeAccounting(network)({ ...RUN, keptSteps: 8 });

    expect(stats.denseMultiplyAdds).toBe(countCost(dense).multiplyAdds);
    expect(stats.multiplyAdds).toBeGreaterThan(stats.denseMultiplyAdds);
  });

  it('charges no embedding to samplers that read none', () => {
    const accounting = createComputeAccounting(network);
    const none = accounting({ ...RUN, sampler: 'none', keptSteps: 8 });
    const uniform = accounting({ ...RUN, sampler: 'uniform' });

    expect(none.multiplyAdds).toBe(none.denseMultiplyAdds);
    expect(uniform.multiplyAdds).toBeLessThan(accounting(RUN).multiplyAdds);
  });
});
