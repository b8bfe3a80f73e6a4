import type { ComputeStats } from '../core/compute.ts';
import type { SamplerOptions } from '../sampler/types.ts';
import { continuedLower } from './network/continued-lower.ts';
import { countCost, countLower, type NetworkCost } from './network/cost.ts';
import type { Network } from './network/graph.ts';

/**
 * What an engine measured while it ran one clip. Without an SGS layer all of the network is the
 * lower stage.
 */
export interface EngineRun {
  /** Which sampler planned: `none` and `uniform` spend nothing on embeddings. */
  readonly sampler: SamplerOptions['kind'];
  readonly keptSteps: number;
  readonly lowerMs: number;
  readonly samplerMs: number;
  readonly upperMs: number;
  /** What the lower stage computed, where steps were reused; absent: all of the clip. */
  readonly reuse?: ReusedSteps;
  readonly engine: string;
  readonly device: string;
}

interface ReusedSteps {
  readonly runs: readonly { readonly left: 'padded' | 'continued'; readonly frames: number }[];
  readonly reusedSteps: number;
  /** Kept steps reused from an earlier clip: all of them (the upper stage was skipped) or none. */
  readonly reusedKeptSteps: number;
}

/**
 * The one place that turns a run into its compute receipt: multiply-adds come from the cost model,
 * never from an engine. Dense means the same network without its SGS layer. Costs are remembered
 * per number of kept steps.
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
  let runCost: ReturnType<typeof createRunCosts> | undefined;
  const spentOn = (runs: ReusedSteps['runs'], readsEmbeddings: boolean): number => {
    if (runs.length === 0) return 0;
    runCost ??= createRunCosts(network);
    const costs = runs.map(runCost);
    return costs.reduce((sum, run) => sum + run.multiplyAdds - (readsEmbeddings ? 0 : run.embedding), 0);
  };
  return ({ sampler, keptSteps, reuse, ...measured }) => {
    const readsEmbeddings = sampler !== 'none' && sampler !== 'uniform';
    const unspent = readsEmbeddings ? 0 : embedding;
    const { multiplyAdds } = costAt(keptSteps);
    const reusedLower = reuse ? full.lowerMultiplyAdds - unspent - spentOn(reuse.runs, readsEmbeddings) : 0;
    const reusedUpper = reuse && reuse.reusedKeptSteps > 0 ? multiplyAdds - full.lowerMultiplyAdds : 0;
    return {
      inputSteps: full.inputSteps,
      keptSteps,
      multiplyAdds: multiplyAdds - unspent - reusedLower - reusedUpper,
      denseMultiplyAdds: full.multiplyAdds - embedding,
      reusedSteps: reuse?.reusedSteps ?? 0,
      reusedKeptSteps: reuse?.reusedKeptSteps ?? 0,
      // Computing the beginning of a segment once more may cost more than it saves.
      reusedMultiplyAdds: Math.max(0, reusedLower) + reusedUpper,
      queueMs: 0,
      ...measured,
    };
  };
}

/** Multiply-adds of runs of the lower stage, by number of frames. */
function createRunCosts(network: Network) {
  const continued = continuedLower(network);
  const known = new Map<string, ReturnType<typeof countLower>>();
  return ({ left, frames }: ReusedSteps['runs'][number]): ReturnType<typeof countLower> => {
    const key = `${left} ${frames}`;
    const cost = known.get(key) ?? countLower(left === 'padded' ? network : continued, frames);
    known.set(key, cost);
    return cost;
  };
}
