import { ActionstreamError } from '../core/errors.ts';
import type { SamplerOptions } from '../sampler/types.ts';
import type { Network } from './network/graph.ts';

/** @throws ActionstreamError SAMPLER_INVALID where the network has no SGS layer for a sampler that samples */
export function checkSamplerFits(network: Network, sampler: SamplerOptions): void {
  if (sampler.kind === 'none' || network.nodes.some((node) => node.op === 'sgs')) return;
  throw new ActionstreamError(
    'SAMPLER_INVALID',
    `sampler ${sampler.kind}: ${network.name} has no SGS layer to sample at; place one with --sgs-after or the ` +
      "network's sgs.after, best after Conv_2b (later layers save less), or use sampler none",
  );
}
