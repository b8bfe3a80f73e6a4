import type { ComputeStats } from '../core/compute.ts';
import type { SamplerOptions } from '../sampler/types.ts';
import { countCost, type NetworkCost } from './network/cost.ts';
import type { Network } from './network/graph.ts';

/** What an engine measured while it ran one clip. Without an SGS layer all of the network is the lower half. */
export interface EngineRun {
  /** Which sampler planned: `none` and `uniform` spend nothing on embeddings. */
  readonly sampler: SamplerOptions['kind'];
  readonly keptSteps: number;
  readonly lowerMs: number;
  readonly samplerMs: number;
  readonly upperMs: number;
  readonly engine: string;
  readonly device: string;
}

/**
 * The one place that turns a run into its compute receipt: multiply-adds come from the cost model, never from an
 * engine. Dense means the same network without its SGS layer. Costs are remembered per number of kept steps.
 */
export function createComputeAccounting(network: Network): (run: EngineRun) => ComputeStats {
  const costs = new Map<number, NetworkCost>();
  const costAt = (keptSteps: number): NetworkCost => {
    const known = costs.get(keptSteps);
    if (known) return known;
    const cost = countCost(network, { keptSteps });
    costs.set(keptSteps, cost);
    return cost;
  };
  const full = countCost(network);
  const embedding = full.layers.find((layer) => layer.name === 'SGS')?.multiplyAdds ?? 0;
  return ({ sampler, keptSteps, ...measured }) => {
    const unspent = sampler === 'none' || sampler === 'uniform' ? embedding : 0;
    return {
      inputSteps: full.inputSteps,
      keptSteps,
      multiplyAdds: costAt(keptSteps).multiplyAdds - unspent,
      denseMultiplyAdds: full.multiplyAdds - embedding,
      reusedMultiplyAdds: 0,
      queueMs: 0,
      ...measured,
    };
  };
}
