import { timeMeansOf, timeShares } from '../../network/time-shares.ts';
import type { Network } from '../../network/graph.ts';
import { sharesTensor } from './build-graphs.ts';
import type { SessionsOptions } from './open-session.ts';

/** Of a plan, what the upper graph of a network is fed for its means over time: one tensor a level. */
export function sharesOf(network: Network): SessionsOptions['sharesOf'] {
  const nodes = new Map(timeMeansOf(network).map((mean) => [sharesTensor(mean), mean.node]));
  return ({ counts }) => {
    if (nodes.size === 0) return new Map();
    const shares = timeShares(network, counts);
    return new Map(Array.from(nodes, ([name, node]) => [name, shares.get(node) ?? new Float32Array()]));
  };
}
